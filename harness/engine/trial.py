"""One trial from spec to record: build, train, select on validation, evaluate once, measure."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_model
from torch import nn

from harness.efficiency.latency import Sampling, measure_latency
from harness.efficiency.parameters import inference_parameters
from harness.engine.advice import ADVICE_FILE, control_advice, load_advice, save_advice
from harness.engine.environment import environment, find_device
from harness.engine.loop import Job, OnEpoch, TrainingStep, Weighted, fit
from harness.engine.predict import predict, prediction_table, score_metrics
from harness.engine.seeds import seed_world
from harness.registry import LOSSES, REGISTRIES
from harness.spec import Efficiency, Failure, Precision, Runtime, TrialResult, TrialSpec, VariantRef
from harness.types import Batch, Dataset, KeepsTokenizer, Notes, Outputs, Tokenises

CHECKPOINT_FILE = "checkpoint.safetensors"
TOKENIZER_FILE = "tokenizer.json"
LATENCY_CLIPS = 16

_DTYPES: dict[Precision, torch.dtype] = {"64-true": torch.float64, "bf16-true": torch.bfloat16}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assignment:
    """A trial and everything it is given.

    Attributes:
        advice: file with the outputs of the spec's teacher on the training clips, if it has one.
        work: folder for the resumable checkpoint and for the files that the trial leaves.
    """

    spec: TrialSpec
    trial_id: str
    group_id: str
    fingerprint: str
    data: Dataset
    advice: Path | None
    work: Path
    runtime: Runtime
    on_epoch: OnEpoch


@dataclass(frozen=True)
class Finished:
    """What a trial leaves: its record, predictions on valid and test, and files by artifact name."""

    result: TrialResult
    predictions: pd.DataFrame | None = None
    files: dict[str, Path] = field(default_factory=dict)


def run_trial(given: Assignment) -> Finished:
    """The trial's record; an exception becomes a failed record, so that the study goes on."""
    if given.runtime.threads is not None:
        torch.set_num_threads(given.runtime.threads)
    device = find_device(given.runtime.accelerator)
    record: dict[str, Any] = {
        "trial_id": given.trial_id,
        "group_id": given.group_id,
        "spec": given.spec,
        "data_fingerprint": given.fingerprint,
        "environment": environment(device),
    }
    try:
        return _run(given, _fabric(device, given.spec.precision), record)
    except Exception as error:  # whatever a variant raises is that trial's result
        log.debug("trial %s failed", given.trial_id, exc_info=True)
        failure = Failure(message=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
        return Finished(TrialResult(**record, state="failed", failure=failure))


def build_model(spec: TrialSpec, data: Dataset) -> nn.Module:
    """The spec's model, initialised from the trial's own stream."""
    seed_world(spec.seed, "init")
    return REGISTRIES[spec.role].build(spec.model, data.info)


def visible(spec: TrialSpec, model: nn.Module, clips: Batch) -> Batch:
    """The clips as the model may see them: the views that it declares, tokenised, and no others."""
    needs = REGISTRIES[spec.role].configure(spec.model).needs()
    seen = clips.only(needs)
    return model.tokenise(seen) if isinstance(model, Tokenises) else seen


def _fabric(device: torch.device, precision: Precision) -> Fabric:
    fabric = Fabric(accelerator=device.type, devices=1, precision=precision)
    # Fabric takes another precision where the device lacks this one, and only warns.
    used = fabric.strategy.precision.precision
    if used != precision:
        raise ValueError(f"precision {precision} is not to be had on {device.type}; {used} would be")
    return fabric


def _run(given: Assignment, fabric: Fabric, record: dict[str, Any]) -> Finished:
    spec, data = given.spec, given.data
    seconds: dict[str, float] = {}
    dtype = _DTYPES.get(spec.precision, torch.float32)
    with _timed(seconds, "build"):
        model = build_model(spec, data)
        train, valid, test = (
            visible(spec, model, clips) for clips in (data.train, data.valid, data.test)
        )
        step = TrainingStep(model, _losses(spec, data))
    with _timed(seconds, "train"):
        job = Job(spec, train, valid, _advice(given), dtype, given.work / "resume.pt", given.on_epoch)
        progress = fit(fabric, step, job)
    with _timed(seconds, "evaluate"):
        metrics, predictions = _evaluate(fabric, model, spec, dtype, {"val": valid, "test": test})
    with _timed(seconds, "measure"):
        efficiency = _measure(fabric, model, valid, dtype, given.runtime.latency_seconds)
    result = TrialResult(
        **record,
        state="complete",
        metrics=metrics,
        epochs=tuple(progress.records),
        best_epoch=progress.best_epoch,
        efficiency=efficiency,
        seconds=seconds,
        notes=model.notes() if isinstance(model, Notes) else (),
    )
    return Finished(result, predictions, _files(given, fabric, model, train, dtype))


def _advice(given: Assignment) -> Outputs | None:
    if given.spec.teacher is None:
        return None
    if given.advice is None:
        raise LookupError("the teacher left no outputs: its own trial failed, see there")
    advice = load_advice(given.advice, given.data.train.ids)
    return control_advice(advice, given.spec.control, given.spec.seed)


def _losses(spec: TrialSpec, data: Dataset) -> dict[str, Weighted]:
    return {
        name: Weighted(
            term.weight,
            LOSSES.build(VariantRef.model_validate({"name": name, **term.params}), data.info),
        )
        for name, term in spec.losses.items()
    }


def _evaluate(
    fabric: Fabric, model: nn.Module, spec: TrialSpec, dtype: torch.dtype, splits: dict[str, Batch]
) -> tuple[dict[str, float], pd.DataFrame]:
    metrics: dict[str, float] = {}
    tables = []
    for split, clips in splits.items():
        score = predict(fabric, model, clips, dtype).score
        metrics |= score_metrics(clips, score, spec.protocol, split)
        tables.append(prediction_table(clips, score, split))
    return metrics, pd.concat(tables, ignore_index=True)


def _measure(
    fabric: Fabric, model: nn.Module, clips: Batch, dtype: torch.dtype, seconds: float
) -> Efficiency:
    model.eval()
    singles = [clips.take(torch.tensor([row])) for row in range(min(LATENCY_CLIPS, len(clips)))]
    ready = cycle([single.to(fabric.device, dtype) for single in singles])

    def call() -> None:
        with fabric.autocast():
            model(next(ready))

    sampling = Sampling(max_warmup_seconds=seconds, min_seconds=seconds, max_seconds=3 * seconds)
    latency = measure_latency(call, device=fabric.device, sampling=sampling)
    return Efficiency(parameters=inference_parameters(model), latency=latency)


def _files(
    given: Assignment, fabric: Fabric, model: nn.Module, train: Batch, dtype: torch.dtype
) -> dict[str, Path]:
    given.work.mkdir(parents=True, exist_ok=True)
    files = {CHECKPOINT_FILE: given.work / CHECKPOINT_FILE}
    save_model(model, str(files[CHECKPOINT_FILE]))
    tokenizer = model.tokenizer_json() if isinstance(model, KeepsTokenizer) else None
    if tokenizer is not None:
        files[TOKENIZER_FILE] = given.work / TOKENIZER_FILE
        files[TOKENIZER_FILE].write_text(tokenizer, encoding="utf-8")
    if given.spec.role == "teacher":
        files[ADVICE_FILE] = given.work / ADVICE_FILE
        save_advice(predict(fabric, model, train, dtype), train.ids, files[ADVICE_FILE])
    return files


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - start
