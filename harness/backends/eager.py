"""The model as it was trained, called by torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from harness.contracts import Runner
from harness.registry import BACKENDS
from harness.spec import BackendConfig
from harness.types import Batch, Outputs


class EagerConfig(BackendConfig):
    """Nothing to choose."""


@BACKENDS.register("eager", config=EagerConfig, paper="PyTorch, arXiv 1912.01703", tiny={})
class Eager:
    """Every operation by itself, in the order of the code."""

    def __init__(self, config: EagerConfig) -> None:
        self.config = config

    def ready(self, model: nn.Module, batches: Sequence[Batch], threads: int) -> Runner:
        """The model itself."""
        return _EagerRunner(model)


class _EagerRunner:
    def __init__(self, model: nn.Module) -> None:
        self._model = model

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Outputs:
        outputs: Outputs = self._model(batch)
        return outputs

    def file_bytes(self) -> int:
        return weight_bytes(self._model)

    def notes(self) -> tuple[str, ...]:
        return (f"torch {torch.__version__}",)


def weight_bytes(model: nn.Module) -> int:
    """Of its parameters and persistent buffers, each shared tensor once."""
    tensors = {value.data_ptr(): value for value in model.state_dict().values()}
    return sum(value.nbytes for value in tensors.values())
