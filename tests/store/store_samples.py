"""The smallest plan, spec, record and predictions that a store can be given."""

from __future__ import annotations

import pandas as pd
from store_records import ENVIRONMENT, LATENCY

from harness.spec import (
    AblationStudy,
    Efficiency,
    EpochRecord,
    Failure,
    LossTerm,
    Member,
    Plan,
    Template,
    TrialResult,
    TrialSpec,
    VariantRef,
)


def spec(seed: int = 0, **more: object) -> TrialSpec:
    fields = {
        "role": "student",
        "data": VariantRef(name="synthetic"),
        "model": VariantRef(name="text_encoder"),
        "losses": {"task_l1": LossTerm()},
        "seed": seed,
    }
    return TrialSpec.model_validate(fields | more)


def plan(name: str = "first", title: str = "", trials: dict[str, TrialSpec] | None = None) -> Plan:
    trials = trials or {"t0": spec()}
    study = AblationStudy(
        kind="ablation",
        name=name,
        title=title,
        data=VariantRef(name="synthetic"),
        seeds=(0,),
        base=Template(),
        arms={"plain": Template()},
    )
    members = tuple(Member(arm="plain", seed=one.seed, trial_id=trial) for trial, one in trials.items())
    return Plan(
        study=study,
        members=members,
        trials=trials,
        teachers={},
        fingerprints=dict.fromkeys(trials, "f"),
        groups=dict.fromkeys(trials, "g"),
    )


def result(trial_id: str = "t0", mae: float = 0.7, **more: object) -> TrialResult:
    fields = {
        "trial_id": trial_id,
        "group_id": "g",
        "spec": spec(),
        "state": "complete",
        "data_fingerprint": "f",
        "environment": ENVIRONMENT,
        "metrics": {"test/mae": mae, "test/corr": float("nan")},
        "epochs": (EpochRecord(epoch=0, metrics={"val/mae": 0.9}),),
        "best_epoch": 0,
        "efficiency": Efficiency(parameters=1234, latency=LATENCY),
        "seconds": {"train": 1.25},
        "notes": ("random weights",),
    }
    return TrialResult.model_validate(fields | more)


def epoch(number: int, **metrics: float) -> EpochRecord:
    return EpochRecord(epoch=number, metrics=metrics)


def failed(trial_id: str = "t0") -> TrialResult:
    why = Failure(message="loss is NaN", traceback="Traceback …")
    return result(trial_id, state="failed", metrics={}, efficiency=None, failure=why)


def predictions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": ["valid", "test"],
            "id": ["v1_0", "v2_0"],
            "video_id": ["v1", "v2"],
            "target": [0.5, -1.0],
            "score": [0.1 + 0.2, float("nan")],
        }
    )
