"""The trials of a study's searches, each with how it ended; of their records only what is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.spec import Plan, SearchSettings, SearchStudy, SearchTrial, TrialResult
from harness.spec.leaders import objective_values
from reports.conditions import latency_condition

if TYPE_CHECKING:
    from harness.store import ResultStore

TryState = Literal["complete", "failed", "pruned", "missing"]


@dataclass(frozen=True)
class Try:
    """One proposal of an arm's search; equal proposals share a trial, and each is counted.

    Attributes:
        number: its place in the arm's search; 0 has the study file's values where its space holds them.
        state: ``missing`` when the store has no readable record.
        epochs: epochs that the trial ran, 0 without a record.
        max_epochs: epochs that it could have run.
        values: an objective each; None unless it is complete and all of them are numbers.
        sees_test: whether the trial is evaluated on test, which no search may do.
        latency: under which conditions its latency was measured, in words; empty = not measured.
    """

    arm: str
    number: int
    params: Mapping[str, Any]
    trial_id: str
    state: TryState
    epochs: int
    max_epochs: int
    values: tuple[float, ...] | None
    sees_test: bool
    failure: str = ""
    latency: str = ""


def read_tries(store: ResultStore, plan: Plan) -> tuple[Try, ...]:
    """The trials of all searches by arm, in the order of the study, and number; each is read once."""
    study = plan.study
    if not isinstance(study, SearchStudy):
        return ()
    order = {arm: place for place, arm in enumerate(searched_arms(study))}
    trials = sorted(plan.searches, key=lambda one: (order.get(one.arm, len(order)), one.number))
    found: dict[str, _Ending] = {}
    for one in trials:
        if one.trial_id not in found:
            found[one.trial_id] = _ending(store.get(one.trial_id), study.search)
    return tuple(_try(plan, one, found[one.trial_id]) for one in trials)


def searched_arms(study: SearchStudy) -> tuple[str, ...]:
    """Every arm that has a search: those of the file, then the named controls."""
    return (*study.arms, *study.controls)


def of_arm(tries: Iterable[Try], arm: str) -> tuple[Try, ...]:
    """The trials of one arm's search."""
    return tuple(one for one in tries if one.arm == arm)


def proposed(tries: Iterable[Try]) -> int:
    """How many trials an arm's search has proposed; those whose values make no trial have no record."""
    return max((one.number + 1 for one in tries), default=0)


def states(tries: Iterable[Try]) -> Counter[str]:
    """How many of them ended how."""
    return Counter(one.state for one in tries)


@dataclass(frozen=True)
class _Ending:
    state: TryState
    epochs: int = 0
    values: tuple[float, ...] | None = None
    sees_test: bool = False
    failure: str = ""
    latency: str = ""


def _ending(result: TrialResult | None, search: SearchSettings) -> _Ending:
    if result is None:
        return _Ending("missing")
    return _Ending(
        state=result.state,
        epochs=len(result.epochs),
        values=objective_values(result, search.objective),
        sees_test=any(name.startswith("test/") for name in result.metrics),
        failure=result.failure.message if result.failure else "",
        latency=latency_condition(result) or "",
    )


def _try(plan: Plan, searched: SearchTrial, ending: _Ending) -> Try:
    spec = plan.trials[searched.trial_id]
    return Try(
        arm=searched.arm,
        number=searched.number,
        params=searched.params,
        trial_id=searched.trial_id,
        state=ending.state,
        epochs=ending.epochs,
        max_epochs=spec.optimisation.max_epochs,
        values=ending.values,
        sees_test=ending.sees_test or "test" in spec.splits,
        failure=ending.failure,
        latency=ending.latency,
    )
