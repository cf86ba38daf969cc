"""Progress for programs: a JSON object a line on standard output."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from harness.cli.progress.silent import SilentWatcher
from harness.cli.progress.state import StudyState
from harness.cli.progress.words import machine
from harness.spec import Plan, State, TrialResult
from harness.store.claims import Claim
from harness.study.launch.base import Began, Epoch, Event, Lost, Stuck


def json_line(event: str, stream: TextIO | None = None, **content: object) -> None:
    """Writes one event with its time in seconds since the epoch; what is no finite number is null.

    A reader that went away is no reason to end a study: nothing is written from then on.
    """
    stream = stream or sys.stdout
    line = json.dumps({"event": event, "time": time.time(), **_plain(content)}, allow_nan=False)
    try:
        stream.write(line + "\n")
        stream.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends, and would complain.
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


class JsonWatcher(SilentWatcher):
    """Writes every event; that a trial ended comes with its numbers and the study's totals."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream
        self.state = StudyState()
        self._plan: dict[str, Any] = {}
        self._others: tuple[object, ...] = ()
        self._buffered = (0, "")

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        """Data set and findings."""
        self._write("found", data=data, findings=findings)

    def planned(self, plan: Plan, states: Mapping[str, State], workers: int) -> None:
        """The totals, and the labels of the trials that are new; nothing when that is as it was."""
        known = set(self.state.labels)
        self.state.planned(plan, states, workers)
        new = {trial: label for trial, label in self.state.labels.items() if trial not in known}
        now = {
            "study": plan.study.name,
            "workers": workers,
            "already_complete": self.state.already,
            "new_trials": {trial: label for trial, label in new.items() if trial not in states},
            **self._totals(),
        }
        if now != self._plan:
            self._plan = now
            self._write("planned", **now)

    def event(self, event: Event) -> None:
        """began, epoch, lost or stuck; how a trial ended is said when its record is read."""
        self.state.event(event)
        where = {
            "trial": event.trial_id,
            "label": self.state.label(event.trial_id),
            "worker": event.worker,
        }
        if isinstance(event, Began):
            self._write("began", **where)
        elif isinstance(event, Epoch):
            self._write("epoch", **where, epoch=event.epoch, metrics=event.metrics)
        elif isinstance(event, Lost | Stuck):
            self._write(type(event).__name__.lower(), **where, reason=event.reason)

    def finished(self, result: TrialResult) -> None:
        """State, numbers, times, and the reason of a failure."""
        self.state.finished(result)
        self._write(
            "ended",
            trial=result.trial_id,
            label=self.state.label(result.trial_id),
            state=result.state,
            metrics=result.metrics,
            epochs=len(result.epochs),
            best_epoch=result.best_epoch,
            seconds=result.seconds,
            failure=result.failure and result.failure.message,
            remaining_seconds=self.state.remaining_seconds(),
            **self._totals(),
        )

    def elsewhere(self, claims: Mapping[str, Claim], states: Mapping[str, State]) -> None:
        """Who works on what, and the totals; nothing when that is as it was."""
        self.state.elsewhere(claims, states)
        who = {
            name: f"{machine(claim.owner)}:{claim.owner.pid}" for name, claim in sorted(claims.items())
        }
        now = (who, self._totals())
        if now != self._others:
            self._others = now
            self._write("elsewhere", claimed=who, **self._totals())

    def buffered(self, count: int, fault: str) -> None:
        """How many results wait for the store, and why; nothing when that is as it was."""
        if (count, fault) != self._buffered:
            self._buffered = (count, fault)
            self._write("buffered", count=count, fault=fault)

    def said(self, line: str) -> None:
        """The line."""
        self._write("said", line=line)

    def _totals(self) -> dict[str, Any]:
        state = self.state
        return {
            "trials": state.total,
            "complete": state.count("complete"),
            "failed": state.count("failed"),
            "pruned": state.count("pruned"),
            "running": state.count("running"),
            "open": state.is_open,
        }

    def _write(self, event: str, **content: object) -> None:
        json_line(event, self.stream, **content)


def _plain(value: Any) -> Any:
    """The same as JSON has it: NaN and the infinities are no numbers there."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
