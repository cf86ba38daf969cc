"""Half the bits of every weight and activation."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from pydantic import Field
from torch import nn

from harness.backends.eager import weight_bytes
from harness.backends.refusal import refusing
from harness.contracts import Runner
from harness.registry import BACKENDS
from harness.spec import BackendConfig
from harness.types import Batch, Outputs


class Bf16Config(BackendConfig):
    """Nothing to choose but how far it may be from eager."""

    tolerance: float = Field(
        0.1,
        gt=0,
        description="largest difference to eager that it is timed with, in label units; eight "
        "significant bits, a layer after the other",
    )


@BACKENDS.register("bf16", config=Bf16Config, paper="Kalamkar et al. 2019, arXiv 1905.12322", tiny={})
class Bf16:
    """Weights and floating inputs in bfloat16, outputs in float32; no other precision in between.

    LayerNorms get no treatment of their own: their weights are cast like all others, and torch's
    kernel sums up in float32 by itself. Where the processor has no instructions for bfloat16 it is
    slower than float32; the notes say what it can.
    """

    def __init__(self, config: Bf16Config) -> None:
        self.config = config

    def ready(self, model: nn.Module, batches: Sequence[Batch], threads: int) -> Runner:
        """A copy of the model, cast."""
        with refusing("bfloat16"):
            runner = _Bf16Runner(deepcopy(model).to(torch.bfloat16))
            for batch in batches:
                runner(batch)
        return runner


class _Bf16Runner:
    def __init__(self, model: nn.Module) -> None:
        self._model = model

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Outputs:
        device = batch.target.device
        outputs: Outputs = self._model(batch.to(device, torch.bfloat16))
        return outputs.to(device)

    def file_bytes(self) -> int:
        return weight_bytes(self._model)

    def notes(self) -> tuple[str, ...]:
        return (
            f"torch {torch.__version__}, vectors as {torch.backends.cpu.get_cpu_capability()}",
            "bfloat16 matrix instructions: " + ("yes" if _has_instructions() else "no"),
        )


def _has_instructions() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
