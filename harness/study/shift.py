"""One runner's work on a study: it takes what is free and sees to what the workers leave."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from harness.engine.advice import ADVICE_FILE
from harness.engine.environment import environment, find_device
from harness.spec import EpochRecord, Failure, State, TrialResult
from harness.store import Courier, Outbox, ResultStore, StoreFault
from harness.store.claims import Claims
from harness.store.outbox import UnreadableEntry
from harness.study.launch.base import Began, Ended, Epoch, Event, Launcher, Lost, Order, Stuck
from harness.study.planner import Planner
from harness.study.queue import Queue
from harness.study.watch import Watcher

LOOK_SECONDS = 2.0
"""How often the store and the claims are asked what other runners have done."""

RETRY_SECONDS = 10.0
"""How often the store is asked whether someone took results away for their trials to be run again."""

WAIT_SECONDS = 0.5

RECORD_SECONDS = 30.0
"""How long the end of a run waits for another runner to have written the history of a search."""


@dataclass(frozen=True)
class Services:
    """What a shift works with.

    Attributes:
        store: reads of this, which knows what still lies in the outbox.
        order: makes the order of a trial whose teachers have ended.
    """

    store: ResultStore
    outbox: Outbox
    courier: Courier
    claims: Claims
    launcher: Launcher
    watcher: Watcher
    order: Callable[[str], Order]
    retries: int


class Shift:
    """Runs trials until the plan is closed and each of them has ended, here or elsewhere."""

    def __init__(self, planner: Planner, services: Services, again: frozenset[str]) -> None:
        """`again` are trials that failed before this runner came, and that it runs once more."""
        self.ran: list[TrialResult] = []
        self._planner, self._services, self._again = planner, services, set(again)
        self._queue = Queue()
        self._deaths: Counter[str] = Counter()
        self._unclaimed: set[str] = set()
        self._is_alone = True
        self._is_news = True
        self._stuck = ""
        self._told: tuple[int, str] = (0, "")
        self._said = 0
        self._looked, self._looked_back = 0.0, time.monotonic()

    def run(self) -> None:
        """Returns when nothing is left.

        Raises:
            StoreFault: a worker cannot write what it has to, such as on a full disk.
        """
        self._grow()
        while True:
            self._start_what_may()
            if not self._queue.here and not self._is_waiting():
                return self._record()
            self._wait()
            self._look_around()
            if self._is_news:
                self._is_news = False
                if self._planner.advance(self._result):
                    self._grow()
            self._tell_faults()

    @property
    def under_way(self) -> frozenset[str]:
        """Trials that workers have now."""
        return frozenset(self._queue.here)

    def _record(self) -> None:
        end = time.monotonic() + RECORD_SECONDS
        while not self._planner.record() and time.monotonic() < end:
            time.sleep(WAIT_SECONDS)
        self._say()

    def _is_waiting(self) -> bool:
        if self._queue.unsettled:
            return True
        if self._planner.plan.is_open and not self._planner.advance(self._result):
            raise RuntimeError("the plan is open, every trial of it has ended, and no more is proposed")
        self._grow()
        return bool(self._queue.unsettled)

    def _grow(self) -> None:
        plan = self._planner.plan
        ended = self._services.store.states(plan.trials)
        self._services.store.open_study(plan)
        known = {trial: state for trial, state in ended.items() if trial not in self._again}
        self._queue.extend(plan, known)
        self._services.watcher.planned(plan, dict(self._queue.ended), self._services.launcher.width)
        self._is_news = True
        self._say()

    def _start_what_may(self) -> None:
        try:
            for trial in self._queue.ready():
                if len(self._queue.here) >= self._services.launcher.width:
                    return
                self._start(trial)
        except StoreFault as fault:
            self._tell(str(fault))

    def _start(self, trial: str) -> None:
        if not self._take(trial):
            self._queue.elsewhere.add(trial)
            return
        state = self._state(trial)
        if state is not None and not self._is_to_repeat(trial, state):
            self._services.claims.release(trial)
            self._queue.end(trial, state)
            self._is_news = True
            return
        order = self._services.order(trial)
        self._again.discard(trial)
        self._services.courier.begin(order.study, trial, order.spec)
        self._queue.begin(trial)
        self._services.launcher.start(order)

    def _take(self, trial: str) -> bool:
        try:
            return self._services.claims.take(trial)
        except StoreFault:
            # Nobody else was there when claims could last be asked: better on than idle for hours.
            # Should someone come now and run the same, the courier stores one of the two.
            if not self._is_alone:
                raise
            self._unclaimed.add(trial)
            return True

    def _is_to_repeat(self, trial: str, state: State) -> bool:
        """Whether a trial is run once more that ended; another runner may have seen to it meanwhile."""
        if trial not in self._again:
            return False
        store = self._services.store
        if state == "complete" and trial in store.complete([trial]):
            is_teacher = self._planner.plan.trials[trial].role == "teacher"
            if not is_teacher or store.artifact(trial, ADVICE_FILE) is not None:
                return False
        store.forget([trial])
        return True

    def _state(self, trial: str) -> State | None:
        try:
            return self._services.store.states([trial]).get(trial)
        except StoreFault:
            if trial not in self._unclaimed:
                raise
            return None

    def _wait(self) -> None:
        if self._queue.here:
            self._services.launcher.wait(WAIT_SECONDS, self._on_event)
        else:
            time.sleep(WAIT_SECONDS)
        if self._stuck:
            raise StoreFault(self._stuck)

    def _on_event(self, event: Event) -> None:
        self._services.watcher.event(event)
        match event:
            case Began(trial_id=trial):
                self._begin_claim(trial)
            case Epoch(trial_id=trial, epoch=epoch, metrics=metrics):
                record = EpochRecord(epoch=epoch, metrics=dict(metrics))
                self._services.courier.log_epoch(trial, record)
            case Ended(trial_id=trial):
                self._end(trial)
            case Lost(trial_id=trial, reason=reason):
                self._lose(trial, reason)
            case Stuck(trial_id=trial, reason=reason):
                self._services.courier.abandon(trial)
                self._queue.put_back(trial)
                self._stuck = reason

    def _begin_claim(self, trial: str) -> None:
        try:
            self._services.claims.begin(trial)
        except StoreFault as fault:
            self._tell(str(fault))

    def _end(self, trial: str) -> None:
        try:
            result = self._services.outbox.result(trial)
        except UnreadableEntry as fault:
            self._services.outbox.set_aside(trial)
            self._lose(trial, str(fault))
            return
        if result is None:
            self._lose(trial, "it left nothing in the outbox")
            return
        self._queue.end(trial, result.state)
        self.ran.append(result)
        self._services.courier.deliver(trial)
        self._services.watcher.finished(result)
        self._is_news = True

    def _lose(self, trial: str, reason: str) -> None:
        self._services.courier.abandon(trial)
        self._deaths[trial] += 1
        if self._deaths[trial] <= self._services.retries:
            self._queue.put_back(trial)
            return
        plan = self._planner.plan
        message = f"its worker died {self._deaths[trial]} times; the last time: {reason}"
        result = TrialResult(
            trial_id=trial,
            group_id=plan.groups[trial],
            spec=plan.trials[trial],
            state="failed",
            data_fingerprint=plan.fingerprints[trial],
            # The worker's own is not to be had any more.
            environment=environment(find_device("cpu")),
            failure=Failure(message=message, traceback=""),
        )
        self._services.outbox.commit(plan.study.name, result, None, {})
        self._end(trial)

    def _look_around(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        try:
            self._claim_late()
            self._learn_of_others()
            if now - self._looked_back >= RETRY_SECONDS:
                self._looked_back = now
                self._take_up_forgotten()
        except StoreFault as fault:
            self._tell(str(fault))

    def _claim_late(self) -> None:
        for trial in tuple(self._unclaimed):
            self._services.claims.take(trial)
            self._unclaimed.discard(trial)

    def _learn_of_others(self) -> None:
        own = self._services.claims.owner
        claims = self._services.claims.live()
        others = {name: claim for name, claim in claims.items() if claim.owner != own}
        was_alone, self._is_alone = self._is_alone, not others
        if self._is_alone and was_alone and not self._queue.elsewhere:
            return
        unsettled = self._queue.unsettled
        for trial, state in self._services.store.states(unsettled).items():
            if trial not in self._again:
                self._queue.end(trial, state)
                self._is_news = True
        waiting = set(self._queue.unsettled)
        self._queue.elsewhere = waiting & others.keys()
        theirs = {name: claim for name, claim in others.items() if name in waiting}
        self._services.watcher.elsewhere(theirs, dict(self._queue.ended))

    def _take_up_forgotten(self) -> None:
        there = self._services.store.states(self._queue.ended)
        for trial in self._queue.ended.keys() - there.keys():
            self._queue.reopen(trial)

    def _say(self) -> None:
        said = self._planner.said
        for line in said[self._said :]:
            self._services.watcher.said(line)
        self._said = len(said)

    def _result(self, trial: str) -> TrialResult | None:
        return self._services.store.get(trial) if trial in self._queue.ended else None

    def _tell_faults(self) -> None:
        self._tell(self._services.courier.fault or "")

    def _tell(self, fault: str) -> None:
        now = (self._services.courier.waiting if fault else 0, fault)
        if now != self._told:
            self._told = now
            self._services.watcher.buffered(*now)
