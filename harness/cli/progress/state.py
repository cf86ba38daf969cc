"""Where a study stands, counted from what its runner tells; nothing is shown here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from harness.cli.progress.estimate import Estimate, Kind
from harness.spec import Plan, SearchStudy, SearchTrial, State, TrialResult, TrialSpec
from harness.spec.leaders import Values, leaders, objective_values
from harness.store.claims import Claim
from harness.study.labels import trial_labels
from harness.study.launch.base import Began, Ended, Epoch, Event, Lost, Stuck

Status = Literal["waiting", "running", "elsewhere", "complete", "failed", "pruned"]

IDLE: frozenset[Status] = frozenset({"waiting", "elsewhere"})


def quality(spec: TrialSpec) -> str:
    """The metric that a trial is shown by: its task's, and of a teacher its task's of teachers."""
    task = spec.task
    return f"val/{task.teachers_primary if spec.role == 'teacher' else task.primary}"


@dataclass(frozen=True)
class Running:
    """A trial that a worker here is at; epoch, metric and value are of the last epoch that ended."""

    trial_id: str
    label: str
    worker: str
    began: float
    epoch: int | None = None
    metric: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Best:
    """The best of a study, or of an arm's search; with several objectives the size of its front."""

    label: str
    objectives: tuple[str, ...]
    values: Values
    front: int = 1


class StudyState:
    """Everything a view may show.

    A failed trial counts as such until it begins again. The best is of the trials whose records came
    by: those that ended here since the start. Trials that no plan has are not counted: what is told of
    them must not end a study.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.name = ""
        self.is_open = False
        self.workers = 1
        self.already = 0
        self.given_up_before = 0
        """How many trials were complete when the run began."""
        self.running: dict[str, Running] = {}
        self.others: dict[str, Claim] = {}
        self.waiting_for_store = 0
        self.fault = ""
        self.labels: dict[str, str] = {}
        self.objectives: tuple[str, ...] = ()
        """Of a search."""
        self._quality: dict[str, str] = {}
        self._kinds: dict[str, Kind] = {}
        self._status: dict[str, Status] = {}
        self._counts: Counter[Status] = Counter()
        self._idle: Counter[Kind] = Counter()
        """Trials that have not ended and that no worker here is at."""
        self._searched: dict[str, list[SearchTrial]] = {}
        self._members: frozenset[str] = frozenset()
        self._took: dict[str, float] = {}
        self._estimate = Estimate()
        self._points: dict[str, dict[int, Values]] = {}
        self._member: Best | None = None
        self.known = 0
        """Of how many complete trials the records came by."""

    @property
    def total(self) -> int:
        """How many trials are known of; more may come while `is_open`."""
        return len(self._status)

    @property
    def done(self) -> int:
        """How many ended, in whatever way."""
        return self.count("complete") + self.count("failed") + self.count("pruned")

    def count(self, status: Status) -> int:
        """How many trials are in that state."""
        return self._counts[status]

    def label(self, trial_id: str) -> str:
        """What the trial is called."""
        return self.labels.get(trial_id, trial_id[:8])

    def planned(self, plan: Plan, states: Mapping[str, State], workers: int) -> None:
        """Takes the plan up, the first or a grown one."""
        if not self.name:
            self.already = sum(states.get(trial) == "complete" for trial in plan.trials)
            self.given_up_before = sum(states.get(trial) == "pruned" for trial in plan.trials)
        self.name = plan.study.name
        self.is_open, self.workers = plan.is_open, max(1, workers)
        self.labels = trial_labels(plan)
        self._members = frozenset(member.trial_id for member in plan.members)
        self._searched = {}
        for one in plan.searches:
            self._searched.setdefault(one.trial_id, []).append(one)
        if isinstance(plan.study, SearchStudy):
            self.objectives = plan.study.search.objective
        for trial, spec in plan.trials.items():
            if trial not in self._status:
                self._kinds[trial] = spec.role, plan.groups[trial]
                self._quality[trial] = quality(spec)
                self._move(trial, "waiting")
        self._settle(states)

    def event(self, event: Event) -> None:
        """Follows a worker."""
        trial = event.trial_id
        if trial not in self._status:
            return
        if isinstance(event, Began):
            self.running[trial] = Running(trial, self.label(trial), event.worker, self.clock())
            self._move(trial, "running")
        elif isinstance(event, Epoch):
            self._epoch(event)
        elif isinstance(event, Ended | Lost | Stuck):
            gone = self.running.pop(trial, None)
            if gone is not None:
                self._move(trial, "waiting")
                self._took[trial] = self.clock() - gone.began

    def finished(self, result: TrialResult) -> None:
        """Counts a trial that ended here."""
        trial = result.trial_id
        if trial not in self._status:
            return
        self.running.pop(trial, None)
        self._move(trial, result.state)
        took = self._took.pop(trial, None)
        if took is not None and result.state != "failed":
            self._estimate.add(self._kinds[trial], took)
        self.known += result.state == "complete"
        self._rank(result)

    def stopped(self) -> None:
        """Nothing runs here any more; what had not ended waits for the next run."""
        for trial in self.running:
            self._move(trial, "waiting")
        self.running.clear()

    def elsewhere(self, claims: Mapping[str, Claim], states: Mapping[str, State]) -> None:
        """What other runners are at, and what has ended by them."""
        self.others = dict(claims)
        for trial, status in list(self._status.items()):
            if status == "elsewhere" and trial not in claims:
                self._move(trial, "waiting")
        for trial in claims:
            if self._status.get(trial) in {"waiting", "failed"}:
                self._move(trial, "elsewhere")
        self._settle(states)

    def buffered(self, count: int, fault: str) -> None:
        """What the store has not taken yet."""
        self.waiting_for_store, self.fault = count, fault

    def bests(self) -> tuple[Best, ...]:
        """The best trial of the arms as they are reported, then of each arm's search."""
        found = [] if self._member is None else [self._member]
        for arm, points in self._points.items():
            front = leaders(points, self.objectives)
            label = f"{arm} #{front[0]}" if len(self.objectives) == 1 else arm
            found.append(Best(label, self.objectives, points[front[0]], len(front)))
        return tuple(found)

    def remaining_seconds(self) -> float | None:
        """How long what is known of may take yet; None until something ended here to go by."""
        now = self.clock()
        running = [(self._kinds[one.trial_id], now - one.began) for one in self.running.values()]
        lanes = self.workers + sum(claim.is_running for claim in self.others.values())
        return self._estimate.remaining(self._idle, running, lanes)

    def _epoch(self, event: Epoch) -> None:
        running = self.running.get(event.trial_id)
        if running is not None:
            # A teacher may have nothing of what a search is about.
            asked = (*self.objectives[:1], self._quality[event.trial_id])
            metric = next((name for name in asked if name in event.metrics), "")
            value = event.metrics.get(metric)
            now = replace(running, epoch=event.epoch, metric=metric, value=value)
            self.running[event.trial_id] = now

    def _settle(self, states: Mapping[str, State]) -> None:
        for trial, state in states.items():
            if self._status.get(trial) in {"waiting", "elsewhere"}:
                # Others have it again, so what is stored of it is the failure before.
                if state == "failed" and trial in self.others:
                    continue
                self._move(trial, state)

    def _move(self, trial: str, status: Status) -> None:
        before = self._status.get(trial)
        if before is not None:
            self._counts[before] -= 1
            self._idle[self._kinds[trial]] -= before in IDLE
        self._status[trial] = status
        self._counts[status] += 1
        self._idle[self._kinds[trial]] += status in IDLE

    def _rank(self, result: TrialResult) -> None:
        values = objective_values(result, self.objectives)
        for one in self._searched.get(result.trial_id, ()):
            if values is not None:
                self._points.setdefault(one.arm, {})[one.number] = values
        if result.trial_id in self._members:
            self._rank_member(result)

    def _rank_member(self, result: TrialResult) -> None:
        """By what its task compares students by, which a teacher may not have."""
        names = (f"val/{result.spec.task.primary}",)
        values = objective_values(result, names)
        if values is None:
            return
        if self._member is None or leaders({0: self._member.values, 1: values}, names) == (1,):
            self._member = Best(self.label(result.trial_id), names, values)
