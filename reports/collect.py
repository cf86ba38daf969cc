"""What a store holds of a study: every arm under every seed, present or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.spec import BadInput, Plan, TrialResult, TrialSpec, nearest
from reports.search.tries import Try, read_tries

if TYPE_CHECKING:
    import pandas as pd

    from harness.store import ResultStore


@dataclass(frozen=True)
class Observation:
    """One cell of the study: what the arm's trial under this seed left behind, if anything."""

    arm: str
    seed: int
    spec: TrialSpec
    result: TrialResult | None = None
    predictions: pd.DataFrame | None = None

    @property
    def state(self) -> Literal["complete", "failed", "pruned", "missing"]:
        """``missing`` when the store has no readable record."""
        return "missing" if self.result is None else self.result.state


@dataclass(frozen=True)
class Records:
    """A plan, an observation for each of its members in the plan's order, and its searches' trials."""

    plan: Plan
    observations: tuple[Observation, ...]
    tries: tuple[Try, ...] = ()

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms in the order of the study."""
        return tuple(dict.fromkeys(seen.arm for seen in self.observations))

    def of(self, arm: str) -> tuple[Observation, ...]:
        """The observations of one arm."""
        return tuple(seen for seen in self.observations if seen.arm == arm)

    def complete(self, arm: str) -> tuple[tuple[Observation, TrialResult], ...]:
        """The complete observations of one arm, each with its record."""
        return tuple(
            (seen, seen.result)
            for seen in self.of(arm)
            if seen.result is not None and seen.result.state == "complete"
        )


def collect(store: ResultStore, study: str) -> Records:
    """All records of a study; a trial that several arms or proposals share is read once.

    Raises:
        BadInput: The store has no study of that name.
    """
    plan = store.plan(study)
    if plan is None:
        raise BadInput(
            f"no study '{study}' in this store; {nearest(study, store.studies())}", key="STUDY"
        )
    trials = dict.fromkeys(member.trial_id for member in plan.members)
    results = {trial: store.get(trial) for trial in trials}
    predictions = {
        trial: store.predictions(trial)
        for trial, result in results.items()
        if result is not None and result.state == "complete"
    }
    return Records(
        plan,
        tuple(
            Observation(
                arm=member.arm,
                seed=member.seed,
                spec=plan.trials[member.trial_id],
                result=results[member.trial_id],
                predictions=predictions.get(member.trial_id),
            )
            for member in plan.members
        ),
        read_tries(store, plan),
    )
