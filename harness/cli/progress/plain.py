"""Progress where there is no terminal: a line a trial that ends, and a sign of life."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Self

from rich.console import Console

from harness.cli.progress import words
from harness.cli.progress.silent import SilentWatcher
from harness.cli.progress.state import StudyState
from harness.cli.progress.ticker import Ticker
from harness.spec import Plan, State, TrialResult
from harness.store.claims import Claim
from harness.study.launch.base import Event, Lost, Stuck

SILENCE_SECONDS = 60.0
"""After so long without a line, one says what is running."""


class PlainWatcher(SilentWatcher):
    """A line for what was found, what there is to do, and each trial that ended or was lost.

    That a trial began has no line: a log of a study is read for what came out of it.
    """

    def __init__(self, console: Console | None = None, state: StudyState | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.state = state or StudyState()
        self._lock = threading.Lock()
        self._ticker = Ticker(1.0, self.tick)
        self._last = self.state.clock()
        self._fault = ""

    def __enter__(self) -> Self:
        self._ticker.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ticker.stop()

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        """What reading a data set found, a line each."""
        for finding in findings:
            self._line(f"{data}: {finding}")

    def planned(self, plan: Plan, states: Mapping[str, State], workers: int) -> None:
        """What there is to do; of a plan that only grew nothing, because the totals say it."""
        with self._lock:
            is_first = not self.state.name
            self.state.planned(plan, states, workers)
        if is_first:
            self._line(words.opening(self.state))

    def event(self, event: Event) -> None:
        """A line when a worker was lost or could not do its work."""
        with self._lock:
            self.state.event(event)
        if isinstance(event, Lost | Stuck):
            what = "lost" if isinstance(event, Lost) else "stuck"
            label = self.state.label(event.trial_id)
            self._line(f"{words.place(self.state)} {label}: {what}: {event.worker}: {event.reason}")

    def finished(self, result: TrialResult) -> None:
        """How the trial ended, after the totals."""
        with self._lock:
            self.state.finished(result)
        self._line(
            f"{words.place(self.state)} {words.outcome(self.state.label(result.trial_id), result)}"
        )

    def elsewhere(self, claims: Mapping[str, Claim], states: Mapping[str, State]) -> None:
        """Only counted."""
        with self._lock:
            self.state.elsewhere(claims, states)

    def buffered(self, count: int, fault: str) -> None:
        """A line when the store begins to refuse results, for another reason, or has taken all."""
        with self._lock:
            self.state.buffered(count, fault)
        if fault and fault != self._fault:
            self._line(words.buffered(self.state))
        if self._fault and not fault and not count:
            self._line("the store has taken all results that waited for it")
        if fault or not count:
            self._fault = fault

    def said(self, line: str) -> None:
        """The line."""
        self._line(line)

    def tick(self) -> None:
        """Says what is running if nothing was said for long."""
        with self._lock:
            is_silent = self.state.clock() - self._last >= SILENCE_SECONDS
            line = self._running() if is_silent and self.state.done < self.state.total else ""
        if line:
            self._line(line)

    def _running(self) -> str:
        here = [f"{one.label} ({words.at(one)})" for one in self.state.running.values()] or [
            "nothing here"
        ]
        parts = [f"running: {', '.join(here)}", words.others(self.state), words.buffered(self.state)]
        return "; ".join([f"{words.place(self.state)} {parts[0]}", *filter(None, parts[1:])]) + (
            f"; {words.time_left(self.state)}"
        )

    def _line(self, text: str) -> None:
        with self._lock:
            self._last = self.state.clock()
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)
