"""Search studies of a few synthetic records, in a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from report_samples import efficiency, predictions, result, spec

from harness.spec import (
    EpochRecord,
    Failure,
    Member,
    Plan,
    SearchSettings,
    SearchStudy,
    SearchTrial,
    Template,
    TrialResult,
    TrialSpec,
    VariantRef,
)
from harness.store import MemoryStore

RATE, WIDTH = "student.optimisation.learning_rate", "student.model.width"
FAILURE = {
    "state": "failed",
    "failure": Failure(message="loss is NaN", traceback=""),
    "efficiency": None,
}


class Counting(MemoryStore):
    """Counts how often each record is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def get(self, trial_id: str) -> TrialResult | None:
        self.reads.append(trial_id)
        return super().get(trial_id)


class Searched:
    """A search study that is put together trial by trial, as a planner and a store would leave it."""

    def __init__(self, *arms: str, is_open: bool = False, **search: Any) -> None:
        self.study = SearchStudy(
            kind="search",
            name="tuned",
            data=VariantRef(name="synthetic"),
            seeds=(0, 1),
            reference=search.pop("reference", None),
            base=Template(),
            arms={arm: Template() for arm in arms},
            search=SearchSettings.model_validate({"trials": 4, **search}),
        )
        self.is_open = is_open
        self.searches: list[SearchTrial] = []
        self.chosen: dict[str, SearchTrial] = {}
        self.members: list[Member] = []
        self.specs: dict[str, TrialSpec] = {}
        self.records: list[tuple[TrialResult, Any]] = []

    def proposes(self, arm: str, number: int, trial_id: str = "", **params: Any) -> str:
        """One more trial of the arm's search, of which nothing is known yet; gives its id."""
        identity = trial_id or f"{arm}-s{number}"
        given = {RATE: 10.0 ** -(number + 1), **params}
        self.searches.append(SearchTrial(arm=arm, number=number, params=given, trial_id=identity))
        self.specs[identity] = spec(self.study.search.seed, splits=("val",))
        return identity

    def tries(self, arm: str, number: int, mae: float, epochs: int = 10, **more: Any) -> None:
        """A complete trial of the arm's search."""
        found = {"metrics": {"val/mae": mae}, **more.pop("record", {})}
        self.keeps(self.proposes(arm, number, **more), epochs, **found)

    def gives_up(self, arm: str, number: int, epochs: int) -> None:
        """A pruned one."""
        self.keeps(self.proposes(arm, number), epochs, state="pruned", metrics={}, efficiency=None)

    def fails(self, arm: str, number: int) -> None:
        """A failed one."""
        self.keeps(self.proposes(arm, number), 0, **FAILURE)

    def keeps(self, trial_id: str, epochs: int, **more: Any) -> None:
        """The record of a trial."""
        ran = tuple(EpochRecord(epoch=epoch, metrics={}) for epoch in range(epochs))
        metrics = more.pop("metrics", {})
        record = result(trial_id, self.specs[trial_id], {}, epochs=ran, **more)
        self.records.append((record.model_copy(update={"metrics": metrics}), None))

    def chooses(
        self, arm: str, number: int, row: str = "", val: Mapping[int, float] | None = None, **more: Any
    ) -> None:
        """The arm's row is that trial; its members have these validation errors by seed."""
        name = row or arm
        self.chosen[name] = next(one for one in self.searches if (one.arm, one.number) == (arm, number))
        for seed in self.study.seeds:
            trial, identity = spec(seed), f"{name}-{seed}"
            self.members.append(Member(arm=name, seed=seed, trial_id=identity))
            self.specs[identity] = trial
            if val is None or seed in val:
                metrics = {"mae": 0.7}
                kept = result(identity, trial, metrics, **more)
                on_val = {"val/mae": 0.5 if val is None else val[seed]}
                kept = kept.model_copy(update={"metrics": kept.metrics | on_val})
                self.records.append((kept, predictions([0.7] * 4)))

    @property
    def plan(self) -> Plan:
        return Plan(
            study=self.study,
            members=tuple(self.members),
            trials=self.specs,
            teachers={},
            fingerprints=dict.fromkeys(self.specs, "d1"),
            groups=dict.fromkeys(self.specs, "g"),
            searches=tuple(self.searches),
            chosen=self.chosen,
            is_open=self.is_open,
        )

    def store(self) -> Counting:
        store = Counting()
        store.open_study(self.plan)
        for record, table in self.records:
            store.begin("tuned", record.trial_id, record.spec)
            store.finish(record, table, {})
        return store


def one_objective(**search: Any) -> Searched:
    """Two arms of four trials: every way in which a trial can end, and a choice for each."""
    study = Searched("plain", "taught", reference="plain", **{"pruner": {"name": "median"}, **search})
    study.tries("plain", 0, 0.9, epochs=10)
    study.tries("plain", 1, 0.6, epochs=20, **{WIDTH: 32})
    study.gives_up("plain", 2, 3)
    study.tries("plain", 3, 0.7)
    study.tries("taught", 0, 0.5)
    study.fails("taught", 1)
    study.gives_up("taught", 2, 5)
    study.tries("taught", 3, 0.55)
    study.chooses("plain", 1)
    study.chooses("taught", 0)
    return study


def front(**search: Any) -> Searched:
    """One arm of five trials, by error and parameters; #1 is beaten by #2, #4 by nobody."""
    objective = ("val/mae", "parameters")
    study = Searched("searched", **{"objective": objective, "trials": 6, **search})
    for number, (mae, size) in enumerate(
        ((0.8, 100_000), (0.75, 600_000), (0.7, 400_000), (0.6, 2_000_000), (0.65, 1_000_000))
    ):
        study.tries(
            "searched", number, mae, record={"efficiency": efficiency(size, 1.0)}, **{WIDTH: size}
        )
    study.fails("searched", 5)
    for number, size in ((2, 400_000), (3, 2_000_000)):
        row = f"searched #{number}"
        study.chooses("searched", number, row, {0: 0.7, 1: 0.74}, efficiency=efficiency(size, 1.0))
    return study
