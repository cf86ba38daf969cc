"""Who is told how a study goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from harness.spec import Plan, State, TrialResult
from harness.store.claims import Claim
from harness.study.launch.base import Event


class Watcher(Protocol):
    """Is told everything by one thread, in order."""

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        """What reading a data set found."""

    def planned(self, plan: Plan, states: Mapping[str, State], workers: int) -> None:
        """The plan, how those of its trials ended that did, and how many run here at a time.

        Again when a search proposes more trials.
        """

    def event(self, event: Event) -> None:
        """What a worker tells: a trial began, an epoch or the trial ended, a worker was lost."""

    def finished(self, result: TrialResult) -> None:
        """The record of a trial that ended here: complete, failed or pruned."""

    def elsewhere(self, claims: Mapping[str, Claim], states: Mapping[str, State]) -> None:
        """The plan's trials that other runners have claimed, and how the plan's trials ended so far."""

    def buffered(self, count: int, fault: str) -> None:
        """How many finished trials wait for the store, and in one line why; 0 and empty when none do."""

    def said(self, line: str) -> None:
        """A line that a user should read."""
