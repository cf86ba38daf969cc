"""Trials on the toy clips, small enough to run many of them in a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import toy

from harness.engine.assignment import Assignment, Finished
from harness.engine.loop import IsHopeless, never
from harness.engine.trial import run_trial
from harness.registry import DATASETS, discover
from harness.spec import LossTerm, Optimisation, Runtime, TrialSpec, VariantRef
from harness.types import Dataset

assert toy

STUDENT = {"name": "text_encoder", "width": 16, "layers": 1, "heads": 2, "vocabulary": 300}
TEACHER = {
    "name": "clip_video",
    "width": 16,
    "joint_width": 16,
    "layers": 1,
    "heads": 2,
    "image_size": 16,
}
BASELINE = {"name": "lf_dnn"}
MODELS = {"student": STUDENT, "teacher": TEACHER, "baseline": BASELINE}


def dataset(**params: Any) -> Dataset:
    """The toy clips."""
    discover()
    return DATASETS.build(VariantRef(name="toy", **params)).load()


def spec(role: str = "student", **changes: Any) -> TrialSpec:
    """A trial of one role, three epochs long; keywords change fields of the spec or the optimisation."""
    optimisation = {
        name: changes.pop(name) for name in list(changes) if name in Optimisation.model_fields
    }
    content: dict[str, Any] = {
        "role": role,
        "data": VariantRef(name="toy"),
        "model": VariantRef(**MODELS[role]),
        "losses": {"task_l1": LossTerm()},
        "optimisation": Optimisation(**({"max_epochs": 3, "batch_size": 8} | optimisation)),
    }
    return TrialSpec(**(content | changes))


def run(
    what: TrialSpec,
    work: Path,
    data: Dataset | None = None,
    *advice: Path,
    on_epoch: Callable[[int, Mapping[str, float]], None] = lambda epoch, metrics: None,
    is_hopeless: IsHopeless = never,
    devices: int = 1,
) -> Finished:
    """The trial, run in the folder `work`, on one thread, on the toy clips unless `data` is given."""
    return run_trial(
        Assignment(
            spec=what,
            trial_id="trial",
            group_id="group",
            fingerprint="toy",
            data=data or dataset(),
            advice=advice or (None,) * len(what.advisers()),
            work=work,
            cache=work / "cache",
            runtime=Runtime(threads=1, latency_seconds=0.01, devices=devices),
            on_epoch=on_epoch,
            is_hopeless=is_hopeless,
        )
    )


def with_test(data: Dataset, **changes: Any) -> Dataset:
    """The same data, its test split changed."""
    return replace(data, test=replace(data.test, **changes))
