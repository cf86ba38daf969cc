"""Low-rank adapters through peft; imported nowhere else."""

from __future__ import annotations

from copy import deepcopy

from torch import nn

from harness.nn.extras import find_extra


def check_adapters() -> None:
    """Asks whether peft is there.

    Raises:
        BadInput: it is not installed; the extra that brings it is named.
    """
    find_extra("peft", extra="lora", key="lora_rank")


def add_adapters(encoder: nn.Module, rank: int, alpha: float) -> None:
    """Gives every linear layer of a transformers model an adapter, and freezes all other weights.

    Hu et al. 2021, arXiv 2106.09685, equation 3: h = W x + (alpha / rank) B A x, where W stays as it
    is and B starts at zero, so that the model says at first what it said without adapters.

    Raises:
        BadInput: peft is not installed.
    """
    check_adapters()
    from peft import LoraConfig, inject_adapter_in_model

    settings = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear")
    inject_adapter_in_model(settings, encoder)


def without_adapters(encoder: nn.Module) -> nn.Module:
    """A copy that says the same, each adapter added to the weights it adapts; itself without any."""
    if not any("lora_" in name for name, _ in encoder.named_parameters()):
        return encoder
    from peft.tuners.lora import LoraLayer

    plain = deepcopy(encoder)
    for name, layer in list(plain.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge()
            plain.set_submodule(name, layer.get_base_layer())
    return plain
