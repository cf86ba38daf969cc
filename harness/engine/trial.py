"""One trial from spec to record: build, train, select on validation, evaluate once, measure."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_model
from torch import nn

from harness.contracts import KeepsTokenizer, Notes
from harness.efficiency.latency import Sampling, measure_latency
from harness.efficiency.parameters import inference_parameters
from harness.engine.advice import ADVICE_FILE, save_advice
from harness.engine.assembly import Assembly, assemble
from harness.engine.assignment import Assignment, Finished
from harness.engine.environment import environment, find_device
from harness.engine.loop import fit
from harness.engine.predict import predict, prediction_table, score_metrics
from harness.engine.shares import clips_to_advise_on
from harness.engine.training_step import TrainingStep
from harness.spec import Efficiency, Failure, Precision, TrialResult, TrialSpec
from harness.types import Batch

CHECKPOINT_FILE = "checkpoint.safetensors"
TOKENIZER_FILE = "tokenizer.json"
LATENCY_CLIPS = 16

_DTYPES: dict[Precision, torch.dtype] = {"64-true": torch.float64, "bf16-true": torch.bfloat16}

log = logging.getLogger(__name__)


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


def _fabric(device: torch.device, precision: Precision) -> Fabric:
    fabric = Fabric(accelerator=device.type, devices=1, precision=precision)
    # Fabric takes another precision where the device lacks this one, and only warns.
    used = fabric.strategy.precision.precision
    if used != precision:
        raise ValueError(f"precision {precision} is not to be had on {device.type}; {used} would be")
    return fabric


def _run(given: Assignment, fabric: Fabric, record: dict[str, Any]) -> Finished:
    spec = given.spec
    seconds: dict[str, float] = {}
    dtype = _DTYPES.get(spec.precision, torch.float32)
    with _timed(seconds, "build"):
        ready = assemble(given, fabric, dtype)
    with _timed(seconds, "train"):
        progress = fit(fabric, ready.step, ready.job)
    with _timed(seconds, "evaluate"):
        splits = {"val": ready.valid, "test": ready.test}
        metrics, predictions = _evaluate(fabric, ready.model, spec, dtype, splits)
    with _timed(seconds, "measure"):
        efficiency = _measure(fabric, ready.model, ready.untouched, dtype, given.runtime.latency_seconds)
    result = TrialResult(
        **record,
        state="complete",
        metrics=metrics,
        epochs=tuple(progress.records),
        best_epoch=progress.best_epoch if progress.records else None,
        efficiency=efficiency,
        seconds=seconds,
        notes=_notes(ready.step),
    )
    return Finished(result, predictions, _files(given, fabric, ready, dtype))


def _notes(step: TrainingStep) -> tuple[str, ...]:
    models = [step.model] if step.teacher_learner is None else [step.model, step.teacher]
    return tuple(note for model in models if isinstance(model, Notes) for note in model.notes())


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


def _files(given: Assignment, fabric: Fabric, ready: Assembly, dtype: torch.dtype) -> dict[str, Path]:
    given.work.mkdir(parents=True, exist_ok=True)
    model = ready.model
    files = {CHECKPOINT_FILE: given.work / CHECKPOINT_FILE}
    save_model(model, str(files[CHECKPOINT_FILE]))
    tokenizer = model.tokenizer_json() if isinstance(model, KeepsTokenizer) else None
    if tokenizer is not None:
        files[TOKENIZER_FILE] = given.work / TOKENIZER_FILE
        files[TOKENIZER_FILE].write_text(tokenizer, encoding="utf-8")
    if given.spec.role == "teacher":
        files[ADVICE_FILE] = given.work / ADVICE_FILE
        clips = clips_to_advise_on(given.spec, ready.train)
        advice = predict(fabric, model, clips, dtype, hidden=True)
        save_advice(advice, clips.ids, files[ADVICE_FILE])
    return files


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - start
