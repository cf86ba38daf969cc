"""The forms in which a model can leave; each is written, and read back to be compared."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from harness.contracts import ExportsToHub, Unsupported
from harness.engine.export.sample import Sample, with_capitals
from harness.engine.export.words import write_words
from harness.engine.trained import TrainedModel, clips_of
from harness.nn.extras import find_extra
from harness.nn.first_cause import first_cause
from harness.nn.onnx_file import write_onnx
from harness.nn.tensors import TensorModel
from harness.nn.torch_file import run_program, write_program
from harness.types import Batch

Format = Literal["hf", "onnx", "torch"]

FORMATS: tuple[Format, ...] = ("hf", "onnx", "torch")

Tensors = tuple[Tensor, ...]

TOLERANCES: dict[Format, float] = {"hf": 1e-5, "onnx": 1e-4, "torch": 1e-5}
"""Largest difference to the model, as a share of its largest output or of 1: ONNX Runtime orders sums
otherwise."""

ONNX_FILE, PROGRAM_FILE = "model.onnx", "model.pt2"


@dataclass(frozen=True)
class Written:
    """What a format left in a folder.

    Attributes:
        difference: the largest to the model, of any output that the file gives.
        largest: the largest output of the model, without its sign.
        compared: how many clips, and which.
        inputs: name and form of what the file takes, in its order.
        outputs: names of what it gives.
    """

    difference: float
    largest: float
    compared: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def check_format(to: Format) -> None:
    """Whether the packages that it needs are there.

    Raises:
        BadInput: one is not; the extra that brings it is named.
    """
    for package in ("onnx", "onnxscript", "onnxruntime") if to == "onnx" else ():
        find_extra(package, extra="onnx", key="--to")


def write(to: Format, trained: TrainedModel, sample: Sample, folder: Path) -> Written:
    """Writes the model, in float32, into an empty folder, reads it back and compares both.

    Raises:
        Unsupported: this model cannot be had in this format.
    """
    # In place: nobody uses the model in another precision once it leaves.
    trained.model.float()
    return _hub(trained, sample, folder) if to == "hf" else _tensors(to, trained, sample, folder)


def _hub(trained: TrainedModel, sample: Sample, folder: Path) -> Written:
    leaving = trained.model
    if not isinstance(leaving, ExportsToHub):
        raise Unsupported("has no form in transformers, which text encoders alone have")
    # Imports transformers.
    from harness.nn.text.hub_folder import hub_scores

    leaving.to_hub(folder)
    texts = with_capitals(sample.clips.transcripts or ())
    with torch.inference_mode():
        expected = trained.model(_seen(trained, clips_of(texts))).tensor("score")
    found = torch.tensor(hub_scores(folder, texts))
    return Written(
        _difference([found], [expected]), float(expected.abs().max()), f"{sample}, some in capitals too"
    )


def _tensors(to: Format, trained: TrainedModel, sample: Sample, folder: Path) -> Written:
    clips = _seen(trained, sample.clips)
    told = TensorModel(trained.model, clips)
    with _quiet():
        run = (_as_onnx if to == "onnx" else _as_program)(told, clips, folder)
    difference = largest = 0.0
    for group in sample.groups():
        tensors = told.unpack(_seen(trained, group))
        with torch.inference_mode():
            expected = told(*tensors)
        difference = max(difference, _difference(run(tensors), expected))
        largest = max(largest, *(float(one.abs().max()) for one in expected))
    write_words(trained, told, sample.clips.transcripts or (), folder)
    inputs = tuple(
        f"{name}: {str(tensor.dtype).removeprefix('torch.')} {_shape(tensor)}"
        for name, tensor in zip(told.input_names, told.unpack(clips), strict=True)
    )
    return Written(difference, largest, str(sample), inputs, told.output_names)


def _as_onnx(told: TensorModel, clips: Batch, folder: Path) -> Callable[[Tensors], Iterable[Tensor]]:
    from onnxruntime import InferenceSession

    try:
        write_onnx(told.model, [clips], folder / ONNX_FILE)
        session: Any = InferenceSession(folder / ONNX_FILE, providers=["CPUExecutionProvider"])
    except Exception as error:  # an exporter traces whatever a model does
        raise Unsupported(f"cannot be written as ONNX: {first_cause(error)}") from error
    # What the graph does not read is no input of it.
    read = {one.name for one in session.get_inputs()}

    def run(tensors: Tensors) -> Iterable[Tensor]:
        named = zip(told.input_names, tensors, strict=True)
        given = {name: tensor.contiguous().numpy() for name, tensor in named if name in read}
        return map(torch.from_numpy, session.run(list(told.output_names), given))

    return run


def _as_program(told: TensorModel, clips: Batch, folder: Path) -> Callable[[Tensors], Iterable[Tensor]]:
    # Of two clips at least: torch would take a single one for the only number there is.
    twice = torch.arange(len(clips)) if len(clips) > 1 else torch.zeros(2, dtype=torch.long)
    try:
        write_program(told, told.unpack(clips.take(twice)), folder / PROGRAM_FILE)
    except Exception as error:  # an exporter traces whatever a model does
        raise Unsupported(f"cannot be written as a program of torch: {first_cause(error)}") from error
    return run_program(folder / PROGRAM_FILE)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the pages that exporters write of a model that they cannot trace."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _seen(trained: TrainedModel, clips: Batch) -> Batch:
    return trained.seen(clips).to(torch.device("cpu"), torch.float32)


def _shape(tensor: Tensor) -> str:
    return f"({', '.join(['clips', 'steps', *map(str, tensor.shape[2:])])})"


def _difference(ours: Iterable[Tensor], theirs: Iterable[Tensor]) -> float:
    """Largest of all; infinite if a number is none."""
    differences = [float((one - other).abs().max()) for one, other in zip(ours, theirs, strict=True)]
    return max(each if each == each else float("inf") for each in differences)  # noqa: PLR0124
