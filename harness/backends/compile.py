"""The model as a graph, compiled by torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from harness.backends.eager import weight_bytes
from harness.backends.refusal import refusing
from harness.contracts import Runner, Unsupported
from harness.nn.tensors import TensorModel
from harness.registry import BACKENDS
from harness.spec import BackendConfig
from harness.types import Batch, Outputs

CALLS = 2
"""Of each batch ahead of time: the first may compile, the second shows that it need not again."""


class CompileConfig(BackendConfig):
    """What torch.compile is asked for."""

    mode: Literal["default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"] = Field(
        "default", description="how long is searched for a faster graph, as torch.compile names it"
    )
    dynamic: bool = Field(True, description="one graph for all lengths, or a graph for each")


GRAPHS = 64
"""At most, of a model: for lengths, and for what torch cannot hold in one."""


@BACKENDS.register(
    "compile",
    config=CompileConfig,
    paper="PyTorch 2, Ansel et al. 2024, doi 10.1145/3620665.3640366",
    tiny={},
)
class Compile:
    """Operations fused by torch.compile into C++ or Triton kernels; weights stay the model's own.

    Where the code asks what is in a tensor, torch goes back to Python and on with another graph, so
    nothing but the speed depends on it.
    """

    def __init__(self, config: CompileConfig) -> None:
        self.config = config

    def ready(self, model: nn.Module, batches: Sequence[Batch], threads: int) -> Runner:
        """The model, called on every batch so that all is compiled that will be needed.

        Raises:
            Unsupported: no C++ compiler is there, or it or torch fails on this model.
        """
        if batches[0].target.device.type == "cpu":
            _find_compiler()
        with refusing("torch.compile"):
            told = TensorModel(model, batches[0])
            compiled = torch.compile(told, mode=self.config.mode, dynamic=self.config.dynamic)
            runner = _CompiledRunner(told, compiled)
            # At its limit torch would call the model without a word as eager does.
            with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True, recompile_limit=GRAPHS):
                for batch in [each for each in batches for _ in range(CALLS)]:
                    runner(batch)
        return runner


class _CompiledRunner:
    def __init__(self, told: TensorModel, compiled: nn.Module) -> None:
        self._told = told
        self._compiled = compiled
        self._threads = torch.get_num_threads()

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Outputs:
        return self._told.pack(self._compiled(*self._told.unpack(batch)))

    def file_bytes(self) -> int:
        """Of the weights: what is compiled is made anew on every machine."""
        return weight_bytes(self._told)

    def notes(self) -> tuple[str, ...]:
        return (f"torch {torch.__version__}, compiled for {self._threads} threads",)


def _find_compiler() -> None:
    wanted = os.environ.get("CXX", "g++")
    if shutil.which(wanted) is None:
        raise Unsupported(f"torch.compile needs a C++ compiler on a CPU; '{wanted}' is not installed")
