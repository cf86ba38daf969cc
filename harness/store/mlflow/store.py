"""Results in MLflow: a run per study, under it a run per trial."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from harness.spec import EpochRecord, Plan, State, TrialResult, TrialSpec
from harness.store.mlflow import fields
from harness.store.mlflow.artifacts import Artifacts, LocalArtifacts, RemoteArtifacts
from harness.store.mlflow.client import SQLITE, connect
from harness.store.mlflow.settings import modest
from harness.store.record import (
    PREDICTIONS,
    RECORD,
    read_predictions,
    read_record,
    write_predictions,
    write_record,
)

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run

DATABASE = "adviserbench.db"
PLAN = "study.json"

_KIND = "adviserbench.kind"
_STUDY = "adviserbench.study"
_TRIAL = "adviserbench.trial_id"
_DONE = "attributes.status != 'RUNNING' and attributes.status != 'KILLED'"
_NEWEST_FIRST = ["attributes.end_time DESC", "attributes.start_time DESC"]


class MlflowStore:
    """A `ResultStore` behind an MLflow tracking URI.

    A run's status is the last thing that is written: FINISHED and FAILED mean that `trial.json` is
    there, RUNNING that it may not be. Behind a server that status is taken at its word by
    `complete`; with artifacts in a local folder every record asked for is read as well.
    """

    def __init__(self, uri: str, artifacts: Path | None = None) -> None:
        self._client, self._experiment = connect(uri, artifacts)
        # A database next to its artifacts is one folder that may be moved; any other place is asked.
        local = artifacts is not None and uri.startswith(SQLITE)
        self._files: Artifacts = (
            LocalArtifacts(artifacts) if artifacts and local else RemoteArtifacts(self._client)
        )
        self._running: dict[str, str] = {}

    @classmethod
    def local(cls, folder: Path) -> Self:
        """The store whose database and artifacts lie in that folder."""
        folder = folder.resolve()
        return cls(f"{SQLITE}{folder / DATABASE}", folder / "artifacts")

    def open_study(self, plan: Plan) -> None:
        """Keeps the plan with the study's run, which is made on first use."""
        name = plan.study.name
        run = self._study_run(name)
        if run is None:
            run = self._client.create_run(
                self._experiment, tags={_KIND: "study", _STUDY: name}, run_name=name
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / PLAN
            path.write_text(plan.model_dump_json(), encoding="utf-8")
            self._files.put(run.info.run_id, PLAN, path)
        self._close(run.info.run_id, "FINISHED")

    def plan(self, study: str) -> Plan | None:
        """The newest plan kept under that name."""
        run = self._study_run(study)
        path = None if run is None else self._files.path(run.info.run_id, PLAN)
        if path is None:
            return None
        try:
            return Plan.model_validate_json(path.read_bytes())
        except ValidationError:
            return None

    def studies(self) -> tuple[str, ...]:
        """The names of all studies that have a plan, sorted."""
        runs = self._runs(f"tags.`{_KIND}` = 'study'", _DONE)
        return tuple(sorted({run.data.tags[_STUDY] for run in runs}))

    def complete(self, trial_ids: Iterable[str]) -> frozenset[str]:
        """Those of `trial_ids` whose newest result is complete, by one search of the experiment."""
        asked = set(trial_ids)
        newest: dict[str, Run] = {}
        for run in self._runs(f"tags.`{_KIND}` = 'trial'", _DONE) if asked else ():
            newest.setdefault(run.data.tags[_TRIAL], run)
        return frozenset(
            trial for trial in asked & newest.keys() if self._is_complete(newest[trial], trial)
        )

    def begin(self, study: str, trial_id: str, spec: TrialSpec) -> None:
        """Makes the trial's run under its study's, and closes one that a killed process left open."""
        parent = self._study_run(study)
        if parent is None:
            raise ValueError(f"study '{study}' is not open in this store")
        for left in self._runs(_of_trial(trial_id), "attributes.status = 'RUNNING'"):
            self._close(left.info.run_id, "KILLED")
        tags = {
            _KIND: "trial",
            _STUDY: study,
            _TRIAL: trial_id,
            "adviserbench.role": spec.role,
            "mlflow.parentRunId": parent.info.run_id,
        }
        run_name = f"{spec.role}-{spec.model.name}-s{spec.seed}-{trial_id[:6]}"
        run = self._client.create_run(self._experiment, tags=tags, run_name=run_name)
        self._running[trial_id] = run.info.run_id
        for params in fields.parts(fields.spec_params(spec), fields.PARAMS_PER_BATCH):
            self._client.log_batch(run.info.run_id, params=params)

    def states(self, trial_ids: Iterable[str]) -> dict[str, State]:
        """How each of `trial_ids` ended, by the status of its newest run."""
        return dict.fromkeys(self.complete(trial_ids), "complete")

    def log_epochs(self, trial_id: str, epochs: Sequence[EpochRecord]) -> None:
        """Adds metrics of epochs to the trial's run."""
        run_id = self._run_id(trial_id)
        for epoch in epochs:
            self._client.log_batch(run_id, metrics=fields.step_metrics(epoch.metrics, epoch.epoch))

    def forget(self, trial_ids: Iterable[str]) -> None:
        """Deletes the runs of these trials."""
        for trial in trial_ids:
            for run in self._runs(_of_trial(trial)):
                self._client.delete_run(run.info.run_id)

    def finish(
        self, result: TrialResult, predictions: pd.DataFrame | None, files: Mapping[str, Path]
    ) -> None:
        """Writes everything, `trial.json` last, and then closes the run."""
        run_id = self._run_id(result.trial_id)
        self._client.log_batch(
            run_id, metrics=fields.final_metrics(result), tags=fields.result_tags(result)
        )
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for artifact, path in files.items():
                self._files.put(run_id, artifact, path)
            if predictions is not None:
                self._files.put(run_id, PREDICTIONS, write_predictions(predictions, folder))
            self._files.put(run_id, RECORD, write_record(result, folder))
        self._close(run_id, "FINISHED" if result.state == "complete" else "FAILED")
        del self._running[result.trial_id]

    def get(self, trial_id: str) -> TrialResult | None:
        """The newest finished result; None also when its record cannot be read."""
        run = self._newest(trial_id)
        return None if run is None else self._record(run, trial_id)

    def predictions(self, trial_id: str) -> pd.DataFrame | None:
        """The predictions of the newest result, if it is complete."""
        return read_predictions(self.artifact(trial_id, PREDICTIONS))

    def artifact(self, trial_id: str, name: str) -> Path | None:
        """A local path of a file of the newest result, if it is complete."""
        run = self._newest(trial_id)
        if run is None or not self._is_complete(run, trial_id):
            return None
        return self._files.path(run.info.run_id, name)

    def _close(self, run_id: str, status: str) -> None:
        with modest():
            self._client.set_terminated(run_id, status)

    def _run_id(self, trial_id: str) -> str:
        if trial_id not in self._running:
            raise ValueError(f"trial '{trial_id}' has not begun in this store")
        return self._running[trial_id]

    def _study_run(self, name: str) -> Run | None:
        return next(
            self._runs(f"tags.`{_KIND}` = 'study'", f"tags.`{_STUDY}` = '{name}'", limit=1), None
        )

    def _newest(self, trial_id: str) -> Run | None:
        return next(self._runs(_of_trial(trial_id), _DONE, limit=1), None)

    def _record(self, run: Run, trial_id: str) -> TrialResult | None:
        result = read_record(self._files.path(run.info.run_id, RECORD))
        return result if result is not None and result.trial_id == trial_id else None

    def _is_complete(self, run: Run, trial_id: str) -> bool:
        if run.info.status != "FINISHED":
            return False
        if not self._files.checkable:
            return True
        record = self._record(run, trial_id)
        return record is not None and record.state == "complete"

    def _runs(self, *conditions: str, limit: int = 1000) -> Iterator[Run]:
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                " and ".join(conditions),
                max_results=limit,
                order_by=_NEWEST_FIRST,
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return


def _of_trial(trial_id: str) -> str:
    return f"tags.`{_TRIAL}` = '{trial_id}'"
