"""A store as it will be once everything that waits for it has arrived."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.spec import EpochRecord, Plan, State, TrialResult, TrialSpec
from harness.store.base import ResultStore
from harness.store.outbox import LENT, Outbox, UnreadableEntry

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class BufferedStore:
    """A `ResultStore` that reads the outbox first, whose results are newer, and then the store.

    In this order nothing is missed: an entry leaves the outbox only when the store has it. Writing
    goes to the store; finished trials reach it through the outbox and a `Courier`.
    """

    def __init__(self, store: ResultStore, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._lent: tempfile.TemporaryDirectory[str] | None = None

    def open_study(self, plan: Plan) -> None:
        """Keeps the plan in the store."""
        self._store.open_study(plan)

    def plan(self, study: str) -> Plan | None:
        """The newest plan kept under that name."""
        return self._store.plan(study)

    def studies(self) -> tuple[str, ...]:
        """The names of all studies, sorted."""
        return self._store.studies()

    def complete(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """Those of `trial_ids` whose newest result is complete."""
        asked = frozenset(trial_ids)
        waiting = self._waiting(asked)
        here = frozenset(trial for trial, state in waiting.items() if state == "complete")
        return here | self._store.complete(asked - waiting.keys())

    def states(self, trial_ids: Iterable[str]) -> dict[str, State]:
        """How each of `trial_ids` ended."""
        asked = frozenset(trial_ids)
        waiting = self._waiting(asked)
        return self._store.states(asked - waiting.keys()) | waiting

    def trials(self) -> dict[str, State | None]:
        """Every trial that has a result, stored or on its way, or was begun."""
        waiting = self._waiting(frozenset(self._outbox.ids()))
        return {**self._store.trials(), **waiting}

    def get(self, trial_id: str) -> TrialResult | None:
        """The newest finished result: complete, failed or pruned."""
        return self._result(trial_id) or self._store.get(trial_id)

    def predictions(self, trial_id: str) -> pd.DataFrame | None:
        """The predictions of the newest result, if it is complete."""
        result = self._result(trial_id)
        if result is not None:
            found = _readable(lambda: self._outbox.predictions(trial_id))
            if found is not None or self._outbox.has(trial_id):
                return found if result.state == "complete" else None
        return self._store.predictions(trial_id)

    def files(self, trial_id: str) -> tuple[str, ...]:
        """The artifact names of the files kept with the newest result, if it is complete."""
        result = self._result(trial_id)
        if result is not None:
            found = tuple(self._outbox.files(trial_id)) if result.state == "complete" else ()
            if found or self._outbox.has(trial_id):
                return found
        return self._store.files(trial_id)

    def artifact(self, trial_id: str, name: str) -> Path | None:
        """A local path of a file kept with the newest result, if it is complete."""
        result = self._result(trial_id)
        if result is not None:
            found = self._outbox.artifact(trial_id, name) if result.state == "complete" else None
            lent = None if found is None else self._lend(trial_id, found)
            if lent is not None or self._outbox.has(trial_id):
                return lent
        return self._store.artifact(trial_id, name)

    def begin(self, study: str, trial_id: str, spec: TrialSpec) -> None:
        """Notes in the store that the trial is running."""
        self._store.begin(study, trial_id, spec)

    def log_epochs(self, trial_id: str, epochs: Sequence[EpochRecord]) -> None:
        """Adds metrics of epochs to the trial in the store."""
        self._store.log_epochs(trial_id, epochs)

    def finish(
        self, result: TrialResult, predictions: pd.DataFrame | None, files: Mapping[str, Path]
    ) -> None:
        """Keeps the result in the store."""
        self._store.finish(result, predictions, files)

    def abandon(self, trial_id: str) -> None:
        """Notes in the store that the trial is not running any more."""
        self._store.abandon(trial_id)

    def forget(self, trial_ids: Iterable[str]) -> None:
        """Takes all results of these trials away, those on their way included."""
        asked = tuple(trial_ids)
        for trial in asked:
            self._outbox.remove(trial)
        self._store.forget(asked)

    def _waiting(self, asked: frozenset[str]) -> dict[str, State]:
        found = {trial: self._result(trial) for trial in asked.intersection(self._outbox.ids())}
        return {trial: result.state for trial, result in found.items() if result is not None}

    def _result(self, trial_id: str) -> TrialResult | None:
        return _readable(lambda: self._outbox.result(trial_id))

    def _lend(self, trial_id: str, path: Path) -> Path | None:
        """A path that stays when the entry is delivered; None if that was just now.

        A link and not a copy, for a file may be gigabytes; the outbox never changes a file.
        """
        if self._lent is None:
            self._lent = tempfile.TemporaryDirectory(dir=self._outbox.folder, prefix=LENT)
        try:
            lent = Path(self._lent.name) / f"{trial_id}-{path.stat().st_ino}" / path.name
            if not lent.exists():
                lent.parent.mkdir(exist_ok=True)
                _link(path, lent)
        except FileNotFoundError:
            return None
        return lent


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except FileNotFoundError:
        raise
    except OSError:
        # Some file systems know no links.
        shutil.copyfile(path, target)


def _readable(read: Callable[[], T | None]) -> T | None:
    try:
        return read()
    except UnreadableEntry:
        return None
