"""Toy searches, and results made by hand: what a trial scores is a function of its spec."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import toy
from studies import ablation

from harness.registry import discover
from harness.spec import (
    Efficiency,
    Environment,
    EpochRecord,
    Failure,
    Latency,
    SearchStudy,
    TrialResult,
    TrialSpec,
)
from harness.store import MemoryStore
from harness.store.claims import Claims, MemoryClaims
from harness.study.expand import expand
from harness.study.load import parse_study
from harness.study.place import Place
from harness.study.search.planner import SearchPlanner

assert toy

HERE = Environment(
    code_revision="",
    python="",
    versions={},
    platform="",
    cpu="",
    cores=1,
    threads=1,
    accelerator="cpu",
)
EPOCHS = 4
SMALL_SPACE: dict[str, Any] = {
    "student.model.width": {"type": "choice", "choices": [8, 16, 32]},
    "student.model.layers": {"type": "int", "low": 1, "high": 3},
    "student.model.dropout": {"type": "float", "low": 0.0, "high": 0.5},
    "student.optimisation.learning_rate": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
}
NOTHING: dict[str, Any] = {
    **dict.fromkeys(SMALL_SPACE),
    "student.model.heads": None,
    "student.model.vocabulary": None,
    "student.model.pooling": None,
    "student.model.encoder_rate": None,
    "student.model.layer_decay": None,
    "student.losses.step2.weight": None,
    "student.optimisation.weight_decay": None,
    "student.optimisation.batch_size": None,
}
"""Whatever the variants would have searched, taken away."""

Score = Callable[[TrialSpec], float]


def search(space: dict[str, Any] | None = None, **settings: Any) -> SearchStudy:
    """Two arms of the toy study, the student alone and advised, and a search of a few parameters."""
    discover()
    content = ablation("kind=search")
    content["arms"] = {name: content["arms"][name] for name in ("alone", "both_steps")}
    content["search"] = {"trials": 12, "at_once": 4, **settings}
    content["search"]["space"] = NOTHING | (SMALL_SPACE if space is None else space)
    if isinstance(settings.get("objective"), list):
        del content["reference"]
    study = parse_study(content)
    assert isinstance(study, SearchStudy)
    return study


def bowl(spec: TrialSpec) -> float:
    """A validation error that is lowest at a rate of 3e-3, a dropout of 0.2 and two layers."""
    model = spec.model.params
    rate = math.log10(spec.optimisation.learning_rate / 3e-3)
    return 1 + rate**2 + 4 * (model["dropout"] - 0.2) ** 2 + 0.1 * abs(model["layers"] - 2)


def chance(trial_id: str) -> float:
    """A number in [0, 1) that the trial's identity decides."""
    return int(hashlib.sha256(trial_id.encode()).hexdigest()[:8], 16) / 16**8


def result(spec: TrialSpec, trial_id: str, score: Score = bowl, **changes: Any) -> TrialResult:
    """A complete trial whose error falls to its score over a few epochs."""
    final = score(spec) if spec.role == "student" else 1.0
    epochs = tuple(
        EpochRecord(epoch=epoch, metrics={"val/mae": final + 0.5 ** (epoch + 1) - 0.5**EPOCHS})
        for epoch in range(EPOCHS)
    )
    content: dict[str, Any] = {
        "trial_id": trial_id,
        "group_id": f"group of {trial_id}",
        "spec": spec,
        "state": "complete",
        "data_fingerprint": "toy",
        "environment": HERE,
        "metrics": {f"{split}/mae": final for split in spec.splits},
        "epochs": epochs,
        "best_epoch": EPOCHS - 1,
        "efficiency": efficiency(spec),
    }
    return TrialResult(**(content | changes))


def failed(spec: TrialSpec, trial_id: str) -> TrialResult:
    """A trial that came to nothing."""
    failure = Failure(message="made to fail", traceback="")
    return result(
        spec, trial_id, state="failed", failure=failure, metrics={}, epochs=(), efficiency=None
    )


def efficiency(spec: TrialSpec) -> Efficiency:
    """A cost that grows with the width."""
    width = int(spec.model.params.get("width", 1))
    latency = Latency(
        samples_ms=(0.1 * width,),
        median_ms=0.1 * width,
        p90_ms=0.1 * width,
        batch_size=1,
        warmup_calls=1,
        intra_threads=1,
        inter_threads=1,
        device="cpu",
    )
    return Efficiency(parameters=1000 * width, latency=latency)


def some_fail_or_are_given_up(spec: TrialSpec, trial_id: str) -> TrialResult:
    """A result as chance has it: one in eight fails, one in four is given up after two epochs."""
    luck = chance(trial_id)
    if luck < 0.125:
        return failed(spec, trial_id)
    complete = result(spec, trial_id)
    if luck < 0.375:
        return complete.model_copy(
            update={"state": "pruned", "metrics": {}, "epochs": complete.epochs[:2], "efficiency": None}
        )
    return complete


def planner(study: SearchStudy, out: Path, claims: Claims | None = None) -> SearchPlanner:
    """The planner of a study whose journal lies in a folder."""
    fingerprints = {cell.spec.data: "toy" for cell in expand(study)}
    mine = claims or MemoryClaims()
    place = Place(out=out, store=MemoryStore, claims=lambda: mine, exists=False)
    return SearchPlanner(study, fingerprints, place)


def run_out(
    planner: SearchPlanner,
    make: Callable[[TrialSpec, str], TrialResult] = result,
    store: MemoryStore | None = None,
) -> MemoryStore:
    """The store after all trials of the plan have their results, until the plan is closed."""
    store = store or MemoryStore()
    while True:
        plan = planner.plan
        store.open_study(plan)
        for trial_id, spec in plan.trials.items():
            if store.get(trial_id) is None:
                store.begin(plan.study.name, trial_id, spec)
                store.finish(make(spec, trial_id), None, {})
        if not planner.advance(store.get):
            return store
