"""One trial from spec to record: build, train, select on validation, evaluate once, measure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file, save_model
from torch import Tensor, nn

from harness.contracts import KeepsTokenizer, Notes
from harness.efficiency.flops import forward_flops
from harness.efficiency.latency import Sampling, measure_latency
from harness.efficiency.parameters import inference_parameters
from harness.engine.advice import ADVICE_FILE, save_advice
from harness.engine.assembly import Assembly, assemble
from harness.engine.assignment import Assignment, Finished
from harness.engine.checkpoint import Progress
from harness.engine.devices import check_devices, check_model, one_device
from harness.engine.environment import environment, find_device
from harness.engine.evaluation import evaluate
from harness.engine.faults import failure, machine_fault
from harness.engine.gallery import absent_classes
from harness.engine.info_file import INFO_FILE, save_info
from harness.engine.loop import fit
from harness.engine.predict import predict
from harness.engine.ranks import RankFault, on_ranks
from harness.engine.robustness import robustness
from harness.engine.shares import clips_to_advise_on
from harness.engine.training_step import TrainingStep
from harness.registry import REGISTRIES
from harness.spec import Efficiency, Failure, Precision, Split, TrialResult, TrialSpec
from harness.types import Batch, Outputs

CHECKPOINT_FILE = "checkpoint.safetensors"
TOKENIZER_FILE = "tokenizer.json"
ROBUSTNESS_FILE = "robustness.parquet"
EMBEDDINGS_FILE = "embeddings.safetensors"
LATENCY_CLIPS = 16

_DTYPES: dict[Precision, torch.dtype] = {"64-true": torch.float64, "bf16-true": torch.bfloat16}

log = logging.getLogger(__name__)


def dtype_of(precision: Precision) -> torch.dtype:
    """What floating point values of clips are handed to a model as."""
    return _DTYPES.get(precision, torch.float32)


def run_trial(given: Assignment) -> Finished:
    """The trial's record; an exception becomes a failed record, so that the study goes on.

    A trial that `given.is_hopeless` gives up is pruned: a record of its epochs, and nothing else.

    Raises:
        MachineFault: the disk is full or read-only; the trial can go on from its checkpoint.
        BadInput: the devices it is to run on are not there.
    """
    device = check_devices(given.runtime, [given.spec])
    if given.runtime.threads is not None:
        torch.set_num_threads(given.runtime.threads)
    try:
        return on_ranks(_one_of, given) if given.runtime.devices > 1 else _alone(given, device)
    except RankFault as error:
        return _failed(given, error.failure)
    except Exception as error:  # whatever a variant raises is that trial's result
        fault = machine_fault(error)
        if fault is not None:
            raise fault from error
        log.debug("trial %s failed", given.trial_id, exc_info=True)
        return _failed(given, failure(error))


def _record(given: Assignment) -> dict[str, Any]:
    return {
        "trial_id": given.trial_id,
        "group_id": given.group_id,
        "spec": given.spec,
        "data_fingerprint": given.fingerprint,
        "environment": environment(find_device(given.runtime.accelerator)),
        "features": given.data.info.features,
        "views": tuple(sorted(REGISTRIES[given.spec.role].configure(given.spec.model).needs())),
    }


def _failed(given: Assignment, failure: Failure) -> Finished:
    return Finished(TrialResult(**_record(given), state="failed", failure=failure))


def _alone(given: Assignment, device: torch.device) -> Finished:
    fabric = one_device(device, given.spec.precision)
    return _finish(given, fabric, _train(given, fabric, lambda: None))


def _one_of(given: Assignment, fabric: Fabric, meet: Callable[[], None]) -> Finished | None:
    trained = _train(given, fabric, meet)
    return _finish(given, fabric, trained) if fabric.is_global_zero else None


@dataclass(frozen=True)
class _Trained:
    ready: Assembly
    progress: Progress
    dtype: torch.dtype
    seconds: dict[str, float]


def _train(given: Assignment, fabric: Fabric, meet: Callable[[], None]) -> _Trained:
    seconds: dict[str, float] = {}
    dtype = dtype_of(given.spec.precision)
    with _timed(seconds, "build"):
        ready = assemble(given, fabric, dtype)
        check_model(given.runtime.devices, ready.step)
        meet()
    with _timed(seconds, "train"):
        progress = fit(fabric, ready.step, ready.job)
    return _Trained(ready, progress, dtype, seconds)


def _finish(given: Assignment, fabric: Fabric, trained: _Trained) -> Finished:
    ready, progress, dtype = trained.ready, trained.progress, trained.dtype
    seconds = trained.seconds
    record = _record(given) | {
        "epochs": tuple(progress.records),
        "best_epoch": progress.best_epoch if progress.best_epoch >= 0 else None,
        "seconds": seconds,
        "notes": _notes(given, ready.step, progress),
    }
    if progress.is_hopeless:
        return Finished(TrialResult(**record, state="pruned"))
    files = {}
    with _timed(seconds, "evaluate"):
        metrics, predictions, vectors = _evaluate(fabric, ready, given.spec, dtype)
    if vectors:
        files[EMBEDDINGS_FILE] = given.work / EMBEDDINGS_FILE
        given.work.mkdir(parents=True, exist_ok=True)
        save_file(vectors, files[EMBEDDINGS_FILE])
    if given.spec.conditions and "test" in given.spec.splits:
        with _timed(seconds, "robustness"):
            record["robustness"], table = robustness(given, fabric, ready.model, dtype)
            files[ROBUSTNESS_FILE] = _parquet(table, given.work / ROBUSTNESS_FILE)
    with _timed(seconds, "measure"):
        efficiency = _measure(fabric, ready.model, ready.untouched, dtype, given)
    result = TrialResult(**record, state="complete", metrics=metrics, efficiency=efficiency)
    return Finished(result, predictions, files | _files(given, fabric, ready, dtype))


def _notes(given: Assignment, step: TrainingStep, progress: Progress) -> tuple[str, ...]:
    models = [step.model] if step.teacher_learner is None else [step.model, step.teacher]
    said = [note for model in models if isinstance(model, Notes) for note in model.notes()]
    devices = given.runtime.devices
    said += [f"trained on {devices} devices"] if devices > 1 else []
    return (*said, *absent_classes(given.data), *progress.notes)


def _evaluate(
    fabric: Fabric, ready: Assembly, spec: TrialSpec, dtype: torch.dtype
) -> tuple[dict[str, float], pd.DataFrame, dict[str, Tensor]]:
    """Metrics, predictions, and what the test clips are found by, if they are looked for."""
    clips_of: dict[Split, Batch | None] = {"val": ready.valid, "test": ready.test}
    metrics: dict[str, float] = {}
    tables = []
    vectors: dict[str, Tensor] = {}
    for split, clips in clips_of.items():
        if split in spec.splits and clips is not None:
            outputs = predict(fabric, ready.model, clips, dtype)
            found = evaluate(clips, outputs, spec.protocol)
            metrics |= found.named(split)
            tables.append(found.table(clips, split))
            if split == "test" and outputs.audio_embedding is not None:
                vectors = embeddings(outputs, clips)
    return metrics, pd.concat(tables, ignore_index=True), vectors


def embeddings(outputs: Outputs, clips: Batch) -> dict[str, Tensor]:
    """What `EMBEDDINGS_FILE` holds: audio (B, D), vision (B, D) and target (B,), in the clips' order."""
    return {
        "audio": outputs.tensor("audio_embedding").contiguous(),
        "vision": outputs.tensor("vision_embedding").contiguous(),
        "target": clips.target,
    }


def _parquet(table: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)
    return path


def _measure(
    fabric: Fabric, model: nn.Module, clips: Batch, dtype: torch.dtype, given: Assignment
) -> Efficiency:
    model.eval()
    seconds = given.runtime.latency_seconds
    rows = range(min(LATENCY_CLIPS, len(clips)))
    singles = [clips.take(torch.tensor([row])).to(fabric.device, dtype) for row in rows]
    ready = cycle(singles)

    def call() -> None:
        with fabric.autocast():
            model(next(ready))

    sampling = Sampling(max_warmup_seconds=seconds, min_seconds=seconds, max_seconds=3 * seconds)
    found = measure_latency(call, device=fabric.device, sampling=sampling)
    latency = found.model_copy(update={"neighbours": given.neighbours})
    # Of the same clip in every trial, so that twins have equal counts whatever lengths clips have.
    with fabric.autocast():
        flops = forward_flops(model, singles[0])
        parameters = inference_parameters(model, singles[0])
    return Efficiency(parameters=parameters, flops=flops, latency=latency)


def _files(given: Assignment, fabric: Fabric, ready: Assembly, dtype: torch.dtype) -> dict[str, Path]:
    given.work.mkdir(parents=True, exist_ok=True)
    model = ready.model
    files = {CHECKPOINT_FILE: given.work / CHECKPOINT_FILE}
    save_model(model, str(files[CHECKPOINT_FILE]))
    files[INFO_FILE] = save_info(given.data.info, given.work / INFO_FILE)
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
