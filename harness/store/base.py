"""What a place that keeps results must offer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.spec import Plan, TrialResult, TrialSpec

if TYPE_CHECKING:
    import pandas as pd


class ResultStore(Protocol):
    """Results by trial id, plans by study name.

    A trial is in the store when `finish` returned; whatever a killed process left half-written
    before that is never read. The newest finished result of a trial id counts.
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
        """Notes that the trial is running; a run the same trial left unfinished is closed as killed."""

    def log_step(self, trial_id: str, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds one epoch's metrics to a trial that has begun."""

    def finish(
        self, result: TrialResult, predictions: pd.DataFrame | None, files: Mapping[str, Path]
    ) -> None:
        """Keeps the record, the predictions (`PREDICTION_COLUMNS`) and the files, then says it is done.

        `files` maps an artifact name, such as ``checkpoint.safetensors``, to a local file, which is
        copied.
        """

    def get(self, trial_id: str) -> TrialResult | None:
        """The newest finished result, complete or failed."""

    def predictions(self, trial_id: str) -> pd.DataFrame | None:
        """The predictions of the newest result, if it is complete."""

    def artifact(self, trial_id: str, name: str) -> Path | None:
        """A local path of a file kept with the newest result, if it is complete.

        The path is good for as long as this store object is.
        """
