"""A model as an ONNX file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.nn.tensors import SEQUENCES, TensorModel
from harness.types import Batch, Padded

OPSET = 20
"""Of the operators that torch's exporter writes by default."""


def write_onnx(
    model: nn.Module, batches: Sequence[Batch], path: Path, opset: int = OPSET
) -> TensorModel:
    """Writes the model to `path` and gives it back from tensors to tensors, with the names in the file.

    B and every T are free, but a T that is 1 in the batches stays 1. Weights above two gigabytes lie
    in a file beside it. Whatever the exporter raises for a model that it cannot take comes through.

    Args:
        model: in eval mode; left as it was.
        batches: at least one, as the model sees clips; they need not have all lengths.
        path: of the file.
        opset: version of ONNX's operators.
    """
    example = _example(batches)
    told = TensorModel(model, example)
    tensors = told.unpack(example)
    # Neither clip nor step may be free where the example has one: torch would take it for fixed.
    free = tuple(
        {axis: torch.export.Dim.DYNAMIC for axis in (0, 1) if tensor.shape[axis] > 1}
        for tensor in tensors
    )
    with torch.no_grad(), _quiet():
        program: Any = torch.onnx.export(
            told, tensors, dynamo=True, verbose=False, dynamic_shapes=(free,), opset_version=opset
        )
    _tidy(program.model, told)
    program.save(path)
    return told


def _example(batches: Sequence[Batch]) -> Batch:
    """Two clips or more, of a batch whose sequences all have more than one step, if there is any."""
    chosen = max(batches, key=lambda batch: (min(_steps(batch)), len(batch)))
    return chosen if len(chosen) > 1 else chosen.take(torch.zeros(2, dtype=torch.long))


def _steps(batch: Batch) -> list[int]:
    sequences: list[Padded | None] = [getattr(batch, name) for name in SEQUENCES]
    return [each.mask.shape[1] for each in sequences if each is not None]


def _tidy(model: Any, told: TensorModel) -> None:
    """Inputs and outputs by their names, and nothing of where the code lay that was traced."""
    graph = model.graph
    wanted = {*told.input_names, *told.output_names}
    for node in graph.all_nodes():
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
            if value.name in wanted:
                value.name = f"inner_{value.name}"
    ends = (*graph.inputs, *graph.outputs)
    for value, name in zip(ends, (*told.input_names, *told.output_names), strict=True):
        value.metadata_props.clear()
        value.name = name


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of its own workings."""
    loggers = [
        logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")
    ]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
