"""What a place that keeps results must offer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.spec import EpochRecord, Plan, State, TrialResult, TrialSpec

if TYPE_CHECKING:
    import pandas as pd


class StoreFault(OSError):
    """The store does not take or give anything for now: a server that is down, a disk that is full.

    One line that says which and why. Nothing that was stored is lost, and what was not can be tried
    again.
    """


class ResultStore(Protocol):
    """Results by trial id, plans by study name.

    A trial is in the store when `finish` returned; whatever a killed process left half-written
    before that is never read. The newest finished result of a trial id counts. Every method raises
    `StoreFault` while the store cannot be reached.
    """

    def open_study(self, plan: Plan) -> None:
        """Keeps the plan under its study's name; opening the same or a changed study again is fine."""

    def plan(self, study: str) -> Plan | None:
        """The newest plan kept under that name."""

    def studies(self) -> tuple[str, ...]:
        """The names of all studies, sorted."""

    def complete(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """Those of `trial_ids` whose newest result is complete."""

    def begin(self, study: str, trial_id: str, spec: TrialSpec) -> None:
        """Notes that the trial is running.

        What another process left unfinished of it is closed as killed. Beginning what this object
        began and did not finish changes nothing: the trial is taken up where it was.
        """

    def states(self, trial_ids: Iterable[str]) -> dict[str, State]:
        """How each of `trial_ids` ended, by what the store says without reading the records.

        Trials without a finished result are absent.
        """

    def trials(self) -> dict[str, State | None]:
        """Every trial of which a result is stored, or that was begun and is not said to have stopped.

        With how its newest result ended; None of one without any.
        """

    def log_epochs(self, trial_id: str, epochs: Sequence[EpochRecord]) -> None:
        """Adds metrics of epochs to a trial that has begun; epochs it already has are left out."""

    def abandon(self, trial_id: str) -> None:
        """Notes that what this object began of the trial, if anything, is not running any more."""

    def forget(self, trial_ids: Iterable[str]) -> None:
        """Takes all results of these trials away, as if they had never run."""

    def finish(
        self, result: TrialResult, predictions: pd.DataFrame | None, files: Mapping[str, Path]
    ) -> None:
        """Keeps the record, the predictions (`PREDICTION_COLUMNS`) and the files, then says it is done.

        Epochs of the record that `log_epochs` was not told of are added to what the trial shows.

        `files` maps an artifact name, such as ``checkpoint.safetensors``, to a local file, which is
        copied.
        """

    def get(self, trial_id: str) -> TrialResult | None:
        """The newest finished result: complete, failed or pruned."""

    def predictions(self, trial_id: str) -> pd.DataFrame | None:
        """The predictions of the newest result, if it is complete."""

    def files(self, trial_id: str) -> tuple[str, ...]:
        """The artifact names of the files kept with the newest result, sorted, if it is complete."""

    def artifact(self, trial_id: str, name: str) -> Path | None:
        """A local path of a file kept with the newest result, if it is complete.

        The path is good for as long as this store object is.
        """
