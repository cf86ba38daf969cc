"""Models as programs of torch.export: files that torch runs without the code that made them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.export import Dim

from harness.nn.tensors import TensorModel


def write_program(model: TensorModel, example: tuple[Tensor, ...], path: Path) -> None:
    """Writes a model with free numbers of clips and of steps.

    Whatever torch raises for a model that it cannot trace comes through.

    Args:
        model: in eval mode, on the CPU.
        example: its inputs of two clips at least; steps are free where there are two at least.
        path: of the file, which ends in ``.pt2``.
    """
    # Neither clip nor step may be free where the example has one: torch would take it for fixed.
    free = tuple({axis: Dim.DYNAMIC for axis in (0, 1) if tensor.shape[axis] > 1} for tensor in example)
    with torch.no_grad(), warnings.catch_warnings():
        # Of the tracer's own workings; its result is compared with the model.
        warnings.simplefilter("ignore")
        program = torch.export.export(model, example, dynamic_shapes=(free,))
    torch.export.save(program, path)


def run_program(path: Path) -> Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]:
    """What gives a program's outputs for inputs in the order of the model that was written."""
    module = torch.export.load(path).module()

    @torch.inference_mode()
    def run(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = module(*tensors)
        return found

    return run
