"""What a worker is handed for a trial."""

from __future__ import annotations

from dataclasses import dataclass

from harness.engine.advice import ADVICE_FILE
from harness.store import ResultStore
from harness.study.launch.base import Order
from harness.study.place import Place
from harness.study.planner import Planner


@dataclass(frozen=True)
class Orders:
    """Makes orders of the trials of a plan, once their teachers have ended."""

    planner: Planner
    store: ResultStore
    place: Place
    plugins: tuple[str, ...]
    neighbours: int = 0

    def of(self, trial: str) -> Order:
        """The order of that trial."""
        plan = self.planner.plan
        return Order(
            study=plan.study.name,
            spec=plan.trials[trial],
            trial_id=trial,
            group_id=plan.groups[trial],
            fingerprint=plan.fingerprints[trial],
            runtime=plan.study.runtime,
            advice=tuple(self.store.artifact(one, ADVICE_FILE) for one in plan.teachers.get(trial, ())),
            work=self.place.work / trial,
            cache=self.place.cache,
            outbox=self.place.outbox,
            plugins=self.plugins,
            neighbours=self.neighbours,
            pruning=self.planner.pruning(trial),
        )
