"""Results in MLflow: a run per study, under it a run per trial."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from harness.spec import EpochRecord, Plan, State, TrialResult, TrialSpec
from harness.store.mlflow import fields
from harness.store.mlflow.artifacts import Artifacts, LocalArtifacts, RemoteArtifacts
from harness.store.mlflow.client import WEB, connect
from harness.store.mlflow.faults import SQLITE, Guard, RunGone
from harness.store.mlflow.runs import (
    ANY,
    DONE,
    KIND,
    RUNNING,
    STUDY,
    TRIAL,
    Runs,
    SearchedRuns,
    TrialRun,
)
from harness.store.mlflow.sql_runs import SqlRuns
from harness.store.reachable import with_driver
from harness.store.record import (
    PREDICTIONS,
    RECORD,
    checked,
    read_predictions,
    read_record,
    write_predictions,
    write_record,
)

if TYPE_CHECKING:
    import pandas as pd

DATABASE = "adviserbench.db"
PLAN = "study.json"


@dataclass
class _Open:
    """A run that this process began and has not finished."""

    run_id: str
    spec: TrialSpec
    is_described: bool = False
    times_ms: dict[int, int] = field(default_factory=dict)
    """When each epoch was first heard of: what is sent twice has to look the same twice."""

    shown: set[int] = field(default_factory=set)


class MlflowStore:
    """A `ResultStore` behind an MLflow tracking URI.

    A run's status is the last thing that is written: FINISHED and FAILED mean that `trial.json` is
    there, RUNNING that it may not be. Behind a server that status is taken at its word by
    `complete`; with artifacts in a local folder every record asked for is read as well. MLflow has no
    status for a pruned trial: its run is FINISHED, and the tag `adviserbench.state` says the rest.
    """

    def __init__(self, uri: str, artifacts: Path | None = None) -> None:
        uri = with_driver(uri)
        self._client, self._experiment = connect(uri, artifacts)
        self._guard = Guard(uri)
        # A database next to its artifacts is one folder that may be moved; any other place is asked.
        local = artifacts is not None and uri.startswith(SQLITE)
        self._files: Artifacts = (
            LocalArtifacts(artifacts) if artifacts and local else RemoteArtifacts(self._client)
        )
        self._runs: Runs = (
            SearchedRuns(self._client, self._experiment, self._guard)
            if uri.startswith(WEB)
            else SqlRuns(uri, self._experiment, self._guard)
        )
        self._open: dict[str, _Open] = {}
        self._studies: dict[str, str] = {}

    @classmethod
    def local(cls, folder: Path) -> Self:
        """The store whose database and artifacts lie in that folder."""
        folder = folder.resolve()
        return cls(f"{SQLITE}{folder / DATABASE}", folder / "artifacts")

    def open_study(self, plan: Plan) -> None:
        """Keeps the plan with the study's run, which is made on first use."""
        name = plan.study.name
        run_id = self._runs.studies(ANY).get(name) or self._create(name, {KIND: "study", STUDY: name})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / PLAN
            path.write_text(plan.model_dump_json(), encoding="utf-8")
            self._guard.call(self._files.put, run_id, PLAN, path)
        self._close(run_id, "FINISHED")
        self._studies[name] = run_id

    def plan(self, study: str) -> Plan | None:
        """The newest plan kept under that name."""
        run_id = self._runs.studies(DONE).get(study)
        path = None if run_id is None else self._path(run_id, PLAN)
        if path is None:
            return None
        try:
            return Plan.model_validate_json(path.read_bytes())
        except ValidationError:
            return None

    def studies(self) -> tuple[str, ...]:
        """The names of all studies that have a plan, sorted."""
        return tuple(sorted(self._runs.studies(DONE)))

    def complete(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """Those of `trial_ids` whose newest result is complete."""
        newest = self._newest(trial_ids)
        return frozenset(trial for trial, run in newest.items() if self._is_complete(run))

    def states(self, trial_ids: Iterable[str]) -> dict[str, State]:
        """How each of `trial_ids` ended, by the status of its newest run."""
        return {trial: run.state for trial, run in self._newest(trial_ids).items()}

    def trials(self) -> dict[str, State | None]:
        """Every trial that has a result or an open run."""
        found: dict[str, State | None] = {}
        for run in reversed(self._runs.trials((*DONE, *RUNNING), None)):
            if run.status in DONE:
                found[run.trial_id] = run.state
            else:
                found.setdefault(run.trial_id, None)
        return found

    def begin(self, study: str, trial_id: str, spec: TrialSpec) -> None:
        """Makes the trial's run under its study's, and closes one that a killed process left open.

        The run shows the spec with the first epoch.
        """
        if trial_id in self._open:
            return
        if study not in self._studies:
            self._studies |= self._runs.studies(ANY)
        if study not in self._studies:
            raise ValueError(f"study '{study}' is not open in this store")
        for left in self._runs.trials(RUNNING, [trial_id]):
            self._close(left.run_id, "KILLED")
        tags = {
            KIND: "trial",
            STUDY: study,
            TRIAL: trial_id,
            "adviserbench.role": spec.role,
            "mlflow.parentRunId": self._studies[study],
        }
        run_id = self._create(f"{spec.role}-{spec.model.name}-s{spec.seed}-{trial_id[:6]}", tags)
        self._open[trial_id] = _Open(run_id, spec)

    def log_epochs(self, trial_id: str, epochs: Sequence[EpochRecord]) -> None:
        """Adds metrics of epochs to the trial's run."""
        self._show(self._begun(trial_id), epochs)

    def finish(
        self, result: TrialResult, predictions: pd.DataFrame | None, files: Mapping[str, Path]
    ) -> None:
        """Writes everything, `trial.json` last, and then closes the run."""
        run = self._begun(result.trial_id)
        if predictions is not None:
            checked(predictions)
        self._show(run, result.epochs, result)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            kept = dict(files)
            if predictions is not None:
                kept[PREDICTIONS] = write_predictions(predictions, folder)
            kept[RECORD] = write_record(result, folder)
            for artifact, path in kept.items():
                self._guard.call(self._files.put, run.run_id, artifact, path)
        self._close(run.run_id, "FAILED" if result.state == "failed" else "FINISHED")
        del self._open[result.trial_id]

    def abandon(self, trial_id: str) -> None:
        """Closes the run that this process has open for the trial as killed."""
        if trial_id in self._open:
            self._close(self._open[trial_id].run_id, "KILLED")
            del self._open[trial_id]

    def forget(self, trial_ids: Iterable[str]) -> None:
        """Deletes the runs of these trials."""
        for run in self._runs.trials(ANY, set(trial_ids)):
            self._open.pop(run.trial_id, None)
            self._guard.call(self._client.delete_run, run.run_id)

    def get(self, trial_id: str) -> TrialResult | None:
        """The newest finished result; None also when its record cannot be read."""
        run = self._newest([trial_id]).get(trial_id)
        return None if run is None else self._record(run)

    def predictions(self, trial_id: str) -> pd.DataFrame | None:
        """The predictions of the newest result, if it is complete."""
        return read_predictions(self.artifact(trial_id, PREDICTIONS))

    def files(self, trial_id: str) -> tuple[str, ...]:
        """The artifact names of the files that `finish` was given, if the newest result is complete."""
        run = self._newest([trial_id]).get(trial_id)
        if run is None or not self._is_complete(run):
            return ()
        names = self._guard.call(self._files.names, run.run_id)
        return tuple(sorted(names - {RECORD, PREDICTIONS}))

    def artifact(self, trial_id: str, name: str) -> Path | None:
        """A local path of a file of the newest result, if it is complete."""
        run = self._newest([trial_id]).get(trial_id)
        if run is None or not self._is_complete(run):
            return None
        return self._path(run.run_id, name)

    def _show(
        self, run: _Open, epochs: Sequence[EpochRecord], result: TrialResult | None = None
    ) -> None:
        """Adds what the run does not show yet; the same again after a fault changes nothing."""
        now_ms = time.time_ns() // 1_000_000
        new = {epoch.epoch: epoch for epoch in reversed(epochs) if epoch.epoch not in run.shown}
        metrics = [
            metric
            for epoch in sorted(new)
            for metric in fields.step_metrics(
                new[epoch].metrics, epoch, run.times_ms.setdefault(epoch, now_ms)
            )
        ]
        if result is not None:
            metrics += fields.final_metrics(result, run.times_ms.setdefault(-1, now_ms))
        shown = fields.Shown(
            () if run.is_described else fields.spec_params(run.spec),
            metrics,
            () if result is None else fields.result_tags(result),
        )
        self._send(run, shown)
        run.is_described = True
        run.shown |= new.keys()

    def _send(self, run: _Open, shown: fields.Shown) -> None:
        try:
            for part in shown.batches():
                self._guard.call(
                    self._client.log_batch, run.run_id, part.metrics, part.params, part.tags
                )
        except RunGone:
            self._open = {trial: other for trial, other in self._open.items() if other is not run}
            raise

    def _create(self, run_name: str, tags: dict[str, str]) -> str:
        run = self._guard.call(self._client.create_run, self._experiment, tags=tags, run_name=run_name)
        return str(run.info.run_id)

    def _close(self, run_id: str, status: str) -> None:
        self._guard.call(self._client.set_terminated, run_id, status)

    def _begun(self, trial_id: str) -> _Open:
        if trial_id not in self._open:
            raise ValueError(f"trial '{trial_id}' has not begun in this store")
        return self._open[trial_id]

    def _newest(self, trial_ids: Iterable[str]) -> dict[str, TrialRun]:
        newest: dict[str, TrialRun] = {}
        for run in self._runs.trials(DONE, set(trial_ids)):
            newest.setdefault(run.trial_id, run)
        return newest

    def _record(self, run: TrialRun) -> TrialResult | None:
        result = read_record(self._path(run.run_id, RECORD))
        return result if result is not None and result.trial_id == run.trial_id else None

    def _path(self, run_id: str, name: str) -> Path | None:
        if self._files.checkable:
            return self._files.path(run_id, name)
        return self._guard.call(self._files.path, run_id, name)

    def _is_complete(self, run: TrialRun) -> bool:
        if run.state != "complete":
            return False
        if not self._files.checkable:
            return True
        record = self._record(run)
        return record is not None and record.state == "complete"
