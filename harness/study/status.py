"""How far a study is: the state of every trial, who has it, and how its searches go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from harness.spec import Plan, SearchStudy, SearchTrial, State, TrialResult
from harness.spec.leaders import Values, leaders, objective_values
from harness.store import BufferedStore, Outbox, ResultStore
from harness.store.claims import Claim, Claims, Owner
from harness.study.labels import trial_labels

TrialState = Literal["waiting", "claimed", "running", "complete", "failed", "pruned"]
"""``claimed`` is set aside by a runner whose worker has not begun; ``running`` has begun."""

TRIAL_STATES: tuple[TrialState, ...] = (
    "complete",
    "failed",
    "pruned",
    "running",
    "claimed",
    "waiting",
)

TEACHERS = "(teachers)"
"""The row of teachers that are no arm themselves."""

REASONS = 20
"""For so many failures the record is read, which takes milliseconds each."""


@dataclass(frozen=True)
class TrialStatus:
    """One trial.

    Attributes:
        is_undelivered: whether it has ended and its result waits for the store.
        owner: of the live claim, if the trial is claimed or running.
        since: when it was claimed, in seconds since the epoch.
        expires: when the claim ends unless its owner is heard of.
    """

    trial_id: str
    label: str
    state: TrialState
    is_undelivered: bool = False
    owner: Owner | None = None
    since: float | None = None
    expires: float | None = None


@dataclass(frozen=True)
class ArmStatus:
    """The trials of one arm as it is reported, over seeds."""

    arm: str
    counts: Mapping[TrialState, int]


@dataclass(frozen=True)
class SearchStatus:
    """The search of one arm.

    Attributes:
        proposed: how many trials it has so far, of `budget`.
        best: number of the best complete trial, or of the points of the front.
        values: of the first of them, an objective each.
        has_chosen: whether the search is over and its choice is run under every seed.
    """

    arm: str
    proposed: int
    budget: int
    counts: Mapping[TrialState, int]
    objectives: tuple[str, ...]
    best: tuple[int, ...]
    values: Values | None
    has_chosen: bool


@dataclass(frozen=True)
class FailedTrial:
    """A trial that failed, and why; no reason where there are more than `REASONS` failures."""

    trial_id: str
    label: str
    reason: str


@dataclass(frozen=True)
class StudyStatus:
    """A study's trials in the order of its plan, and the same by arm and by search."""

    study: str
    title: str
    is_open: bool
    trials: tuple[TrialStatus, ...]
    arms: tuple[ArmStatus, ...]
    searches: tuple[SearchStatus, ...]
    failures: tuple[FailedTrial, ...]

    @property
    def counts(self) -> Mapping[TrialState, int]:
        """How many trials are in each state; a trial that two arms share counts once."""
        return Counter(trial.state for trial in self.trials)

    @property
    def undelivered(self) -> int:
        """How many results wait for the store."""
        return sum(trial.is_undelivered for trial in self.trials)


def study_status(plan: Plan, store: ResultStore, claims: Claims, outbox: Outbox) -> StudyStatus:
    """The state of every trial of the plan.

    What has ended in the store or in the outbox has ended, whoever still holds a claim; a failed trial
    that is claimed is being run again.
    """
    reading = BufferedStore(store, outbox)
    # Asked before the store: what is delivered meanwhile is then found in the store.
    waiting = frozenset(outbox.ids())
    live = claims.live()
    ended = reading.states(plan.trials)
    labels = trial_labels(plan)
    trials = tuple(
        _status(trial, labels[trial], ended.get(trial), live.get(trial), is_waiting=trial in waiting)
        for trial in plan.trials
    )
    states = {trial.trial_id: trial.state for trial in trials}
    return StudyStatus(
        study=plan.study.name,
        title=plan.study.title,
        is_open=plan.is_open,
        trials=trials,
        arms=_arms(plan, states),
        searches=_searches(plan, states, reading),
        failures=_failures(trials, reading),
    )


def _status(
    trial: str, label: str, ended: State | None, claim: Claim | None, *, is_waiting: bool
) -> TrialStatus:
    if ended is not None and (ended != "failed" or claim is None or is_waiting):
        return TrialStatus(trial, label, ended, is_undelivered=is_waiting)
    if claim is None:
        return TrialStatus(trial, label, "waiting")
    state: TrialState = "running" if claim.is_running else "claimed"
    return TrialStatus(trial, label, state, False, claim.owner, claim.taken, claim.expires)


def _arms(plan: Plan, states: Mapping[str, TrialState]) -> tuple[ArmStatus, ...]:
    by_arm: dict[str, list[str]] = {}
    for member in plan.members:
        by_arm.setdefault(member.arm, []).append(member.trial_id)
    named = {member.trial_id for member in plan.members} | {one.trial_id for one in plan.searches}
    teachers = [trial for trial in plan.trials if trial not in named]
    rows = [*by_arm.items(), *([(TEACHERS, teachers)] if teachers else [])]
    return tuple(ArmStatus(arm, _counts(trials, states)) for arm, trials in rows)


def _searches(
    plan: Plan, states: Mapping[str, TrialState], store: ResultStore
) -> tuple[SearchStatus, ...]:
    if not isinstance(plan.study, SearchStudy):
        return ()
    by_arm: dict[str, list[SearchTrial]] = {}
    for trial in plan.searches:
        by_arm.setdefault(trial.arm, []).append(trial)
    objectives = plan.study.search.objective
    chosen = {trial.arm for trial in plan.chosen.values()}
    rows = []
    for arm, trials in by_arm.items():
        complete = [trial for trial in trials if states[trial.trial_id] == "complete"]
        # The choice is the best there was; while there is none, every record has to be looked at.
        if arm in chosen and len(objectives) == 1:
            complete = [trial for trial in plan.chosen.values() if trial.arm == arm]
        points = _points(complete, objectives, store)
        best = leaders(points, objectives)
        row = SearchStatus(
            arm=arm,
            proposed=len(trials),
            budget=plan.study.search.trials,
            counts=_counts((trial.trial_id for trial in trials), states),
            objectives=objectives,
            best=best,
            values=points[best[0]] if best else None,
            has_chosen=arm in chosen,
        )
        rows.append(row)
    return tuple(rows)


def _points(
    trials: Iterable[SearchTrial], objectives: tuple[str, ...], store: ResultStore
) -> dict[int, Values]:
    found = {}
    for trial in trials:
        result = store.get(trial.trial_id)
        values = None if result is None else objective_values(result, objectives)
        if values is not None:
            found[trial.number] = values
    return found


def _failures(trials: tuple[TrialStatus, ...], store: ResultStore) -> tuple[FailedTrial, ...]:
    failed = [trial for trial in trials if trial.state == "failed"]
    read = {trial.trial_id: store.get(trial.trial_id) for trial in failed[:REASONS]}
    return tuple(
        FailedTrial(trial.trial_id, trial.label, _reason(read.get(trial.trial_id))) for trial in failed
    )


def _reason(result: TrialResult | None) -> str:
    return "" if result is None or result.failure is None else result.failure.message


def _counts(trials: Iterable[str], states: Mapping[str, TrialState]) -> Mapping[TrialState, int]:
    return Counter(states[trial] for trial in trials)
