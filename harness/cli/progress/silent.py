"""A watcher that says nothing: for --quiet, and as the ground that the others stand on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from harness.spec import Plan, State, TrialResult
from harness.store.claims import Claim
from harness.study.launch.base import Event


class SilentWatcher:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        """Nothing."""

    def planned(self, plan: Plan, states: Mapping[str, State], workers: int) -> None:
        """Nothing."""

    def event(self, event: Event) -> None:
        """Nothing."""

    def finished(self, result: TrialResult) -> None:
        """Nothing."""

    def elsewhere(self, claims: Mapping[str, Claim], states: Mapping[str, State]) -> None:
        """Nothing."""

    def buffered(self, count: int, fault: str) -> None:
        """Nothing."""

    def said(self, line: str) -> None:
        """Nothing."""
