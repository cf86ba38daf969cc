"""Models as programs of torch.export: files that torch runs without the code that made them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.export import Dim

from harness.contracts import Unsupported
from harness.nn.tensors import TensorModel


def write_program(model: TensorModel, example: tuple[Tensor, ...], path: Path) -> None:
    """Writes a model with free numbers of clips and of steps.

    Args:
        model: in eval mode, on the CPU.
        example: its inputs of two clips at least, with two steps at least.
        path: of the file, which ends in ``.pt2``.

    Raises:
        Unsupported: what it computes depends on its data in a way that cannot be traced.
    """
    free = tuple({0: Dim.DYNAMIC, 1: Dim.DYNAMIC} for _ in example)
    try:
        with torch.no_grad():
            program = torch.export.export(model, example, dynamic_shapes=(free,))
    except Exception as error:  # the exporter traces whatever a model does
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise Unsupported(f"cannot be written as a program of torch: {reason}") from error
    torch.export.save(program, path)


def run_program(path: Path, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs of a program for inputs in the order of the model that was written."""
    with torch.inference_mode():
        found: tuple[Tensor, ...] = torch.export.load(path).module()(*tensors)
    return found
