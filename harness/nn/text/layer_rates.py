"""Learning rates that fall from the top of an encoder to its embeddings."""

from __future__ import annotations

from collections.abc import Iterable


class LayerRates:
    """Layer-wise decay of the learning rate.

    As ELECTRA is fine-tuned (arXiv 2003.10555, table 7), with the exponents of BEiT (arXiv
    2106.08254): of n layers, layer l (1 is the lowest) learns at decay^(n - l + 1) of the rate, the
    embeddings at decay^(n + 1), what stands above the layers, such as a last norm, like layer n.
    A layer is the first number in a parameter's name, as in ``encoder.layer.3.output.dense.weight``
    or ``transformer.layer.3.ffn.lin1.bias``; layers that share their weights are one.

    Args:
        names: the encoder's parameter names.
        decay: in (0, 1]; 1 = no decay.
    """

    def __init__(self, names: Iterable[str], decay: float) -> None:
        self._decay = decay
        self.layers = max((_layer(name) or 0 for name in names), default=0)

    def scale(self, name: str) -> float:
        """The multiple of the rate for the encoder's parameter `name`."""
        layer = _layer(name)
        if layer is None:
            layer = 0 if "emb" in name.lower() else self.layers
        return self._decay ** (self.layers - layer + 1)


def _layer(name: str) -> int | None:
    """The layer of a parameter, from 1; None if its name has no number."""
    numbers = (int(part) for part in name.split(".") if part.isdecimal())
    return next((number + 1 for number in numbers), None)
