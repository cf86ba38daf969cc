"""A model from tensors to tensors, for what knows neither batches nor outputs.

Letters: B clips, T steps of a sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import chain
from typing import Any, get_args

import torch
from torch import Tensor, nn

from harness.spec import OutputName
from harness.types import Batch, Outputs, Padded

SEQUENCES = ("tokens", "token_ids", "text", "vision", "audio", "frames")
"""The fields of a batch that are tensors of its clips, in the order of the inputs."""

MASK = "_mask"


def twin(model: nn.Module) -> nn.Module:
    """The same model as modules of its own around the same parameters and buffers.

    What is done to its modules, such as tracing them or putting others in their places, leaves the
    model alone; what is done to its weights does not.
    """
    shared = {id(each): each for each in chain(model.parameters(), model.buffers())}
    return deepcopy(model, memo=dict(shared))


class TensorModel(nn.Module):
    """A model whose inputs and outputs are tensors with names; a `twin` of the one it is made of.

    An input is a sequence of the example, (B, T, ...) as `Padded` holds it, followed by its mask
    (B, T), bool, named as ``tokens`` and ``tokens_mask``. An output is what the model gives of the
    example, but for `hidden`: that, with its mask, only where there is nothing else. B and every T are
    free. Ids, transcripts and targets do not get through: a model that reads them at inference fails.
    """

    def __init__(self, model: nn.Module, example: Batch) -> None:
        super().__init__()
        self.model = twin(model)
        # Not by train(), which would set every part alike.
        self.training = model.training
        self.sequences = tuple(name for name in SEQUENCES if getattr(example, name) is not None)
        with torch.no_grad():
            self.outputs = _named(model(example))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Of the tensors that `unpack` gives and `forward` takes."""
        return tuple(name + end for name in self.sequences for end in ("", MASK))

    @property
    def output_names(self) -> tuple[str, ...]:
        """Of the tensors that `forward` gives and `pack` takes."""
        return ("hidden", "hidden" + MASK) if self.outputs == ("hidden",) else self.outputs

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The outputs of the clips whose `input_names` are given."""
        outputs: Outputs = self.model(self._batch(tensors))
        if self.outputs == ("hidden",) and outputs.hidden is not None:
            return outputs.hidden.values, outputs.hidden.mask
        return tuple(outputs.tensor(name) for name in self.outputs)

    def unpack(self, batch: Batch) -> tuple[Tensor, ...]:
        """The `input_names` of a batch's clips.

        Raises:
            ValueError: a sequence of the example is missing, or there are precomputed tensors, which
                have no names here.
        """
        found = {name: getattr(batch, name) for name in self.sequences}
        missing = [name for name, sequence in found.items() if sequence is None]
        if missing or batch.precomputed:
            what = f"the batch has no {missing[0]}" if missing else "the batch is precomputed in parts"
            raise ValueError(f"{what}; expected: {', '.join(self.sequences)}, and nothing precomputed")
        return tuple(tensor for each in found.values() for tensor in (each.values, each.mask))

    def pack(self, tensors: Sequence[Tensor]) -> Outputs:
        """The outputs whose `output_names` are given."""
        if self.outputs == ("hidden",):
            return Outputs(hidden=Padded(*tensors))
        return Outputs(**dict(zip(self.outputs, tensors, strict=True)))

    def _batch(self, tensors: Sequence[Tensor]) -> Batch:
        pairs = zip(self.sequences, tensors[::2], tensors[1::2], strict=True)
        sequences: dict[str, Any] = {name: Padded(*pair) for name, *pair in pairs}
        # No ids: as many as clips would tie a traced graph to the number of the clips it was traced on.
        target = tensors[0].new_zeros(tensors[0].shape[0])
        return Batch((), (), target, **sequences)


def _named(outputs: Outputs) -> tuple[OutputName, ...]:
    given = tuple(name for name in get_args(OutputName) if getattr(outputs, name) is not None)
    return tuple(name for name in given if name != "hidden") or given
