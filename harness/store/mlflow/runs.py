"""The runs of our experiment that stand for studies and trials, and how they are looked up."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from harness.spec import State
from harness.store.mlflow.faults import Guard

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

KIND = "adviserbench.kind"
STUDY = "adviserbench.study"
TRIAL = "adviserbench.trial_id"
STATE = "adviserbench.state"

DONE = ("FINISHED", "FAILED")
RUNNING = ("RUNNING",)
ANY = (*DONE, *RUNNING, "KILLED", "SCHEDULED")


@dataclass(frozen=True)
class TrialRun:
    """One run of a trial."""

    run_id: str
    trial_id: str
    status: str
    state: State
    """How it ended, if its status is one of `DONE`."""


class Runs(Protocol):
    """Runs that are not deleted, the newest first."""

    def trials(self, statuses: Collection[str], trial_ids: Collection[str] | None) -> list[TrialRun]:
        """Those of these trials, or of all, that have one of these statuses."""

    def studies(self, statuses: Collection[str]) -> dict[str, str]:
        """From the name of a study to its newest run that has one of these statuses."""


class SearchedRuns:
    """Runs found through the MLflow client: for a tracking server.

    MLflow sends every run whole, about half a millisecond each, and bounds a page; so many trials are
    looked up by one pass over all runs.
    """

    def __init__(self, client: MlflowClient, experiment: str, guard: Guard) -> None:
        self._client = client
        self._experiment = experiment
        self._guard = guard

    def trials(self, statuses: Collection[str], trial_ids: Collection[str] | None) -> list[TrialRun]:
        """Those of these trials, or of all, that have one of these statuses."""
        asked = None if trial_ids is None else set(trial_ids)
        condition = f"tags.`{KIND}` = 'trial'"
        if asked is not None and len(asked) < 2:
            if not asked:
                return []
            condition = f"tags.`{TRIAL}` = '{next(iter(asked))}'"
        return [
            trial_run(run.info.run_id, run.data.tags[TRIAL], run.info.status, run.data.tags.get(STATE))
            for run in self._search(condition)
            if run.info.status in statuses and (asked is None or run.data.tags.get(TRIAL) in asked)
        ]

    def studies(self, statuses: Collection[str]) -> dict[str, str]:
        """From the name of a study to its newest run that has one of these statuses."""
        found: dict[str, str] = {}
        for run in self._search(f"tags.`{KIND}` = 'study'"):
            if run.info.status in statuses:
                found.setdefault(run.data.tags[STUDY], run.info.run_id)
        return found

    def _search(self, condition: str) -> Iterator[Run]:
        token: str | None = None
        while True:
            page: Any = self._guard.call(
                self._client.search_runs,
                [self._experiment],
                condition,
                max_results=1000,
                order_by=["attributes.end_time DESC", "attributes.start_time DESC"],
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return


def trial_run(run_id: str, trial_id: str, status: str, state: str | None) -> TrialRun:
    """The run, its state by its status where no tag says it."""
    by_status = "failed" if status == "FAILED" else "complete"
    return TrialRun(run_id, trial_id, status, cast("State", state or by_status))
