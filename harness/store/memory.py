"""Results that last as long as the process: for tests and for trying things out."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.spec import EpochRecord, Plan, State, TrialResult, TrialSpec
from harness.store.record import checked

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class _Finished:
    result: TrialResult
    predictions: pd.DataFrame | None
    files: dict[str, Path]


@dataclass
class MemoryStore:
    """A `ResultStore` in this process; only the files go through a temporary folder.

    One thread may write while others read: whatever changes in several steps changes under a lock.
    """

    epochs: dict[str, dict[int, dict[str, float]]] = field(default_factory=dict)
    """What is known of each trial's epochs since it last began."""

    def __post_init__(self) -> None:
        self._plans: dict[str, Plan] = {}
        self._running: set[str] = set()
        self._finished: dict[str, _Finished] = {}
        self._lock = threading.RLock()
        self._folder = tempfile.TemporaryDirectory(prefix="adviserbench-")

    def open_study(self, plan: Plan) -> None:
        """Keeps the plan under its study's name."""
        self._plans[plan.study.name] = plan

    def plan(self, study: str) -> Plan | None:
        """The newest plan kept under that name."""
        return self._plans.get(study)

    def studies(self) -> tuple[str, ...]:
        """The names of all studies, sorted."""
        with self._lock:
            return tuple(sorted(self._plans))

    def complete(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """Those of `trial_ids` whose newest result is complete."""
        return frozenset(trial for trial in trial_ids if self._complete(trial) is not None)

    def states(self, trial_ids: Iterable[str]) -> dict[str, State]:
        """How each of `trial_ids` ended."""
        found = {trial: self._finished.get(trial) for trial in trial_ids}
        return {trial: kept.result.state for trial, kept in found.items() if kept is not None}

    def trials(self) -> dict[str, State | None]:
        """Every trial that has a result or is running."""
        with self._lock:
            ended = {trial: kept.result.state for trial, kept in self._finished.items()}
            return {**dict.fromkeys(self._running), **ended}

    def forget(self, trial_ids: Iterable[str]) -> None:
        """Takes all results of these trials away."""
        with self._lock:
            for trial in trial_ids:
                self._finished.pop(trial, None)
                self._running.discard(trial)
                self.epochs.pop(trial, None)

    def abandon(self, trial_id: str) -> None:
        """Notes that the trial is not running any more."""
        self._running.discard(trial_id)

    def begin(self, study: str, trial_id: str, spec: TrialSpec) -> None:
        """Notes that the trial is running."""
        if study not in self._plans:
            raise ValueError(f"study '{study}' is not open in this store")
        with self._lock:
            if trial_id not in self._running:
                self._running.add(trial_id)
                self.epochs[trial_id] = {}

    def log_epochs(self, trial_id: str, epochs: Sequence[EpochRecord]) -> None:
        """Adds metrics of epochs to a trial that has begun."""
        with self._lock:
            self._check_running(trial_id)
            for record in epochs:
                self.epochs[trial_id].setdefault(record.epoch, dict(record.metrics))

    def finish(
        self, result: TrialResult, predictions: pd.DataFrame | None, files: Mapping[str, Path]
    ) -> None:
        """Keeps the record, the predictions and copies of the files."""
        self._check_running(result.trial_id)
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        copies = {name: Path(shutil.copyfile(path, folder / name)) for name, path in files.items()}
        kept = None if predictions is None else checked(predictions).copy()
        with self._lock:
            self.log_epochs(result.trial_id, result.epochs)
            self._finished[result.trial_id] = _Finished(result, kept, copies)
            self._running.discard(result.trial_id)

    def get(self, trial_id: str) -> TrialResult | None:
        """The newest finished result: complete, failed or pruned."""
        found = self._finished.get(trial_id)
        return None if found is None else found.result

    def predictions(self, trial_id: str) -> pd.DataFrame | None:
        """The predictions of the newest result, if it is complete."""
        found = self._complete(trial_id)
        return None if found is None or found.predictions is None else found.predictions.copy()

    def files(self, trial_id: str) -> tuple[str, ...]:
        """The artifact names of the files kept with the newest result."""
        found = self._complete(trial_id)
        return () if found is None else tuple(sorted(found.files))

    def artifact(self, trial_id: str, name: str) -> Path | None:
        """A local path of a file kept with the newest result, if it is complete."""
        found = self._complete(trial_id)
        return None if found is None else found.files.get(name)

    def _complete(self, trial_id: str) -> _Finished | None:
        found = self._finished.get(trial_id)
        return found if found is not None and found.result.state == "complete" else None

    def _check_running(self, trial_id: str) -> None:
        if trial_id not in self._running:
            raise ValueError(f"trial '{trial_id}' has not begun in this store")
