"""Carries what trials leave to the store, beside the work and as often as it takes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from harness.spec import EpochRecord, TrialResult, TrialSpec
from harness.store.base import ResultStore
from harness.store.outbox import Outbox, UnreadableEntry

LOGGER = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0


@dataclass
class _Live:
    """A trial under way, as the store is told of it."""

    study: str
    spec: TrialSpec
    is_told: bool = False
    epochs: list[EpochRecord] = field(default_factory=list)
    """Those that the store was not told of yet."""


class Courier:
    """A thread that brings begun trials, their epochs and finished ones to a store.

    `begin`, `log_epoch` and `deliver` only take note: they neither wait nor raise. While the store
    does not answer, finished trials stay in the outbox, and the courier comes back. Delivering the
    same entry twice, before and after a kill, is delivering it once.

    It delivers what it is told of and nothing else, so of several runners that share an outbox the
    one that holds the claim on a trial delivers it. Begun trials and epochs are for looking at: the
    store is told at most every `seconds`, of a trial that finished meanwhile only the end, and those
    of a killed process are made up for by the record.

    Args:
        delivered: is called from the thread when the outbox has no entry of the trial any more:
            the store has it, or it could not be read and was set aside. When that raises
            `StoreFault`, it is called again later.
    """

    def __init__(
        self,
        store: ResultStore,
        outbox: Outbox,
        delivered: Callable[[str], None],
        seconds: float = 1.0,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._delivered = delivered
        self._seconds = seconds
        self._changed = threading.Condition()
        self._live: dict[str, _Live] = {}
        self._entries: dict[str, None] = {}
        self._arrived: dict[str, None] = {}
        self._abandoned: dict[str, None] = {}
        self._fault: str | None = None
        self._told_at = time.monotonic()
        self._wait_seconds = 0.0
        self._is_hurried = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    @property
    def fault(self) -> str | None:
        """Why the store does not take anything for now, in one line; None when it does."""
        if not self._thread.is_alive() and not self._is_closed:
            return "the courier stopped unexpectedly; finished trials stay in the outbox"
        return self._fault

    @property
    def waiting(self) -> int:
        """How many finished trials are not delivered yet."""
        with self._changed:
            return len(self._entries)

    def begin(self, study: str, trial_id: str, spec: TrialSpec) -> None:
        """Notes that the trial is running."""
        with self._changed:
            self._live[trial_id] = _Live(study, spec)
            self._abandoned.pop(trial_id, None)
            self._changed.notify_all()

    def log_epoch(self, trial_id: str, epoch: EpochRecord) -> None:
        """Notes an epoch of a trial that has begun."""
        with self._changed:
            if trial_id in self._live:
                self._live[trial_id].epochs.append(epoch)
                self._changed.notify_all()

    def abandon(self, trial_id: str) -> None:
        """Notes that the trial is not running any more and left nothing."""
        with self._changed:
            if self._live.pop(trial_id, None) is not None:
                self._abandoned[trial_id] = None
                self._changed.notify_all()

    def deliver(self, trial_id: str) -> None:
        """Notes that the outbox has the trial."""
        with self._changed:
            self._live.pop(trial_id, None)
            self._entries[trial_id] = None
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Whether the store has everything, for which at most so long is waited."""
        with self._changed:
            self._is_hurried = True
            self._wait_seconds = 0.0
            self._changed.notify_all()
            done = self._changed.wait_for(lambda: not self._has_work(), seconds)
            self._is_hurried = False
            return done

    def close(self, seconds: float) -> int:
        """How many finished trials the store does not have; they stay in the outbox.

        Delivers what it can in that time. Trials that are still under way are abandoned. Closing
        again only tells the same.
        """
        if self._is_closed:
            return self.waiting
        end = time.monotonic() + seconds
        with self._changed:
            for trial_id in tuple(self._live):
                self.abandon(trial_id)
        self.flush(seconds)
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(max(0.0, end - time.monotonic()) + 1.0)
        return self.waiting

    def _run(self) -> None:
        with suppress(OSError):
            self._outbox.remove_leftovers()
        while True:
            with self._changed:
                while not self._is_closed and (seconds := self._due_seconds()) != 0:
                    self._changed.wait(seconds)
                if self._is_closed:
                    return
            try:
                self._work()
            except (OSError, ValueError) as error:
                self._back_off(str(error))
            else:
                self._all_well()

    def _has_work(self) -> bool:
        return bool(self._entries or self._arrived or self._abandoned or self._news())

    def _news(self) -> list[str]:
        return [trial for trial, live in self._live.items() if live.epochs or not live.is_told]

    def _due_seconds(self) -> float | None:
        """When there is something to do: entries at once, the rest every `seconds`; None for never."""
        if not self._has_work():
            return None
        is_urgent = self._entries or self._arrived or self._abandoned or self._is_hurried
        wait = self._wait_seconds if is_urgent else max(self._seconds, self._wait_seconds)
        return max(0.0, wait - (time.monotonic() - self._told_at))

    def _work(self) -> None:
        with self._changed:
            is_time = self._is_hurried or time.monotonic() - self._told_at >= self._seconds
            entries, news = tuple(self._entries), self._news() if is_time else []
        self._announce()
        for trial_id in entries:
            self._deliver(trial_id)
            self._announce()
        for trial_id in news:
            self._tell(trial_id)
        for trial_id in tuple(self._abandoned):
            self._store.abandon(trial_id)
            self._forget(self._abandoned, trial_id)
        if is_time:
            self._told_at = time.monotonic()

    def _announce(self) -> None:
        for trial_id in tuple(self._arrived):
            self._delivered(trial_id)
            self._forget(self._arrived, trial_id)

    def _deliver(self, trial_id: str) -> None:
        try:
            result = self._outbox.result(trial_id)
            if result is not None:
                self._put(result)
        except UnreadableEntry as error:
            LOGGER.warning("set aside as %s: %s", self._outbox.set_aside(trial_id), error)
        except (OSError, ValueError):
            with self._changed:
                # The next attempt begins with another, lest one holds all others up.
                self._entries.pop(trial_id, None)
                self._entries[trial_id] = None
            raise
        self._outbox.remove(trial_id)
        with self._changed:
            self._arrived[trial_id] = None
            self._entries.pop(trial_id, None)

    def _put(self, result: TrialResult) -> None:
        trial_id = result.trial_id
        if self._is_there(result):
            self._store.abandon(trial_id)
            return
        predictions = self._outbox.predictions(trial_id)
        self._store.begin(self._outbox.study(trial_id) or "", trial_id, result.spec)
        self._store.finish(result, predictions, self._outbox.files(trial_id))

    def _is_there(self, result: TrialResult) -> bool:
        """Whether the store has the trial at its end already, or this very failure of it."""
        trial_id = result.trial_id
        state = self._store.states([trial_id]).get(trial_id)
        if state == "complete":
            return bool(self._store.complete([trial_id]))
        if state != result.state:
            return False
        if state == "pruned":
            return True
        there = self._store.get(trial_id)
        return there is not None and there.model_dump_json() == result.model_dump_json()

    def _tell(self, trial_id: str) -> None:
        with self._changed:
            live = self._live.get(trial_id)
            epochs = [] if live is None else list(live.epochs)
        if live is None:
            return
        self._store.begin(live.study, trial_id, live.spec)
        if epochs:
            self._store.log_epochs(trial_id, epochs)
        with self._changed:
            live.is_told = True
            del live.epochs[: len(epochs)]
            self._changed.notify_all()

    def _forget(self, kept: dict[str, None], trial_id: str) -> None:
        with self._changed:
            kept.pop(trial_id, None)
            self._changed.notify_all()

    def _back_off(self, fault: str) -> None:
        with self._changed:
            self._fault = fault
            self._told_at = time.monotonic()
            doubled = max(FIRST_WAIT_SECONDS, 2 * self._wait_seconds)
            self._wait_seconds = min(LONGEST_WAIT_SECONDS, doubled)

    def _all_well(self) -> None:
        with self._changed:
            self._fault = None
            self._wait_seconds = 0.0
            self._changed.notify_all()
