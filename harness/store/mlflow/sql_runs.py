"""Looking runs up where they are kept: in MLflow's own tables."""

from __future__ import annotations

import weakref
from collections.abc import Collection
from typing import Any

from harness.store.mlflow.faults import Guard
from harness.store.mlflow.runs import KIND, STATE, STUDY, TRIAL, TrialRun, trial_run

_MOST_IN_A_QUERY = 500


class SqlRuns:
    """Runs read from the database behind the tracking URI, which is only read here.

    MLflow gathers all metrics, parameters and inputs of a run to answer a question about its status;
    one query for the columns in question is a hundred times as fast.
    """

    def __init__(self, uri: str, experiment: str, guard: Guard) -> None:
        import sqlalchemy

        self._engine: Any = sqlalchemy.create_engine(uri, pool_pre_ping=True)
        # An open connection keeps SQLite's two helper files on disk.
        weakref.finalize(self, self._engine.dispose)
        self._experiment = int(experiment)
        self._guard = guard

    def trials(self, statuses: Collection[str], trial_ids: Collection[str] | None) -> list[TrialRun]:
        """Those of these trials, or of all, that have one of these statuses."""
        if trial_ids is not None and not trial_ids:
            return []
        from mlflow.store.tracking.dbmodels.models import SqlRun, SqlTag
        from sqlalchemy import and_
        from sqlalchemy.orm import aliased

        trial, state = aliased(SqlTag), aliased(SqlTag)
        query = (
            self._runs(trial.value, SqlRun.status, state.value)
            .join(trial, and_(trial.run_uuid == SqlRun.run_uuid, trial.key == TRIAL))
            .outerjoin(state, and_(state.run_uuid == SqlRun.run_uuid, state.key == STATE))
            .where(SqlRun.status.in_(statuses))
        )
        asked = None if trial_ids is None else set(trial_ids)
        if asked is not None and len(asked) <= _MOST_IN_A_QUERY:
            query = query.where(trial.value.in_(asked))
        rows = self._newest_first(query)
        return [trial_run(*row[:4]) for row in rows if asked is None or row[1] in asked]

    def studies(self, statuses: Collection[str]) -> dict[str, str]:
        """From the name of a study to its newest run that has one of these statuses."""
        from mlflow.store.tracking.dbmodels.models import SqlRun, SqlTag
        from sqlalchemy import and_
        from sqlalchemy.orm import aliased

        study, kind = aliased(SqlTag), aliased(SqlTag)
        query = (
            self._runs(study.value)
            .join(study, and_(study.run_uuid == SqlRun.run_uuid, study.key == STUDY))
            .join(kind, and_(kind.run_uuid == SqlRun.run_uuid, kind.key == KIND))
            .where(kind.value == "study", SqlRun.status.in_(statuses))
        )
        return {name: run_id for run_id, name, *_ in reversed(self._newest_first(query))}

    def _runs(self, *columns: Any) -> Any:
        from mlflow.store.tracking.dbmodels.models import SqlRun
        from sqlalchemy import select

        return select(SqlRun.run_uuid, *columns, SqlRun.end_time, SqlRun.start_time).where(
            SqlRun.experiment_id == self._experiment, SqlRun.lifecycle_stage == "active"
        )

    def _newest_first(self, query: Any) -> list[Any]:
        # Sorted here: databases disagree on where a run without an end comes.
        rows = self._guard.call(self._rows, query)
        return sorted(rows, key=lambda row: (row[-2] or 0, row[-1] or 0), reverse=True)

    def _rows(self, query: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(query))
