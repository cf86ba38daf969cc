"""Studies of a few synthetic records, in a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from harness.spec import (
    AblationStudy,
    Efficiency,
    Environment,
    Failure,
    Latency,
    LossTerm,
    Member,
    Plan,
    Template,
    TrialResult,
    TrialSpec,
    Tuning,
    VariantRef,
)
from harness.store import MemoryStore

NAN = float("nan")
FAILED = "failed"

STUDENT = {
    "role": "student",
    "model": VariantRef(name="text_encoder"),
    "losses": {"task_l1": LossTerm()},
}
TEACHER = {
    "role": "teacher",
    "model": VariantRef(name="clip_video"),
    "losses": {"task_l1": LossTerm(), "step1": LossTerm()},
}


def spec(seed: int, **more: object) -> TrialSpec:
    return TrialSpec.model_validate(
        {"data": VariantRef(name="synthetic"), "seed": seed, **STUDENT, **more}
    )


def advised(seed: int, **more: object) -> TrialSpec:
    losses = {"task_l1": LossTerm(), "step2": LossTerm()}
    return spec(seed, **{"losses": losses, "teacher": spec(seed, **TEACHER), **more})


def predictions(scores: Sequence[float], videos: Sequence[str] = ("a", "a", "b", "b")) -> pd.DataFrame:
    """Test clips whose target is 0, so that a score is its own signed error."""
    return pd.DataFrame(
        {
            "split": "test",
            "id": [f"{video}_{index}" for index, video in enumerate(videos)],
            "video_id": list(videos),
            "target": 0.0,
            "score": [float(score) for score in scores],
        }
    )


def environment(**more: object) -> Environment:
    fields = {
        "code_revision": "abc1234",
        "python": "3.11.7",
        "versions": {"torch": "2.13.0"},
        "platform": "Linux",
        "cpu": "some cpu",
        "cores": 2,
        "threads": 1,
        "accelerator": "none",
    }
    return Environment.model_validate(fields | more)


def efficiency(parameters: int, latency_ms: float, threads: int = 1) -> Efficiency:
    latency = Latency(
        samples_ms=(latency_ms,),
        median_ms=latency_ms,
        p90_ms=latency_ms,
        batch_size=1,
        warmup_calls=10,
        intra_threads=threads,
        inter_threads=1,
        device="cpu",
    )
    return Efficiency(parameters=parameters, latency=latency)


def result(trial_id: str, trial: TrialSpec, metrics: Mapping[str, float], **more: object) -> TrialResult:
    fields = {
        "trial_id": trial_id,
        "group_id": "g",
        "spec": trial,
        "state": "complete",
        "data_fingerprint": "d1",
        "environment": environment(),
        "metrics": {f"test/{name}": value for name, value in metrics.items()},
        "efficiency": efficiency(1_500_000, 2.0),
    }
    return TrialResult.model_validate(fields | more)


class Study:
    """A study that is put into a memory store trial by trial."""

    def __init__(
        self, arms: Sequence[str], seeds: Sequence[int], reference: str | None = "plain"
    ) -> None:
        self.arms, self.seeds, self.reference = arms, seeds, reference
        self.specs: dict[tuple[str, int], TrialSpec] = {
            (arm, seed): spec(seed) for arm in arms for seed in seeds
        }
        self.kept: list[tuple[TrialResult, pd.DataFrame | None]] = []
        self.references: dict[str, str] = {}
        self.tuning: dict[str, Tuning] = {}
        self.asks: dict[str, object] = {}

    def trains(self, arm: str, make: object) -> None:
        """The arm's trials have the specs that `make` gives for its seeds."""
        self.specs |= {(arm, seed): make(seed) for seed in self.seeds}  # type: ignore[operator]

    def gives(self, arm: str, seed: int, scores: Sequence[float] | str, **more: object) -> None:
        """The arm's trial under the seed: its test scores, `FAILED`, or (never called) missing."""
        trial = self.specs[arm, seed]
        if scores == FAILED:
            why = Failure(message="loss is NaN", traceback="")
            failed = {"state": "failed", "failure": why, "efficiency": None}
            self.kept.append((result(f"{arm}-{seed}", trial, {}, **failed), None))
            return
        table = predictions([float(score) for score in scores])
        metrics = {"mae": float(table["score"].abs().mean()), **more.pop("metrics", {})}  # type: ignore[dict-item]
        self.kept.append((result(f"{arm}-{seed}", trial, metrics, **more), table))

    def store(self) -> MemoryStore:
        study = AblationStudy(
            kind="ablation",
            name="small",
            data=VariantRef(name="synthetic"),
            seeds=tuple(self.seeds),
            reference=self.reference,
            base=Template(),
            arms={arm: Template(reference=self.references.get(arm)) for arm in self.arms},
            **self.asks,  # type: ignore[arg-type]
        )
        trials = {f"{arm}-{seed}": trial for (arm, seed), trial in self.specs.items()}
        plan = Plan(
            study=study,
            members=tuple(Member(arm=a, seed=s, trial_id=f"{a}-{s}") for a, s in self.specs),
            trials=trials,
            teachers={},
            fingerprints=dict.fromkeys(trials, "d1"),
            groups=dict.fromkeys(trials, "g"),
            tuning=self.tuning,
        )
        store = MemoryStore()
        store.open_study(plan)
        for record, table in self.kept:
            store.begin("small", record.trial_id, record.spec)
            store.finish(record, table, {})
        return store
