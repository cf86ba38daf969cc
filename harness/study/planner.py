"""Which trials a study has, as far as its results say so yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from harness.spec import Plan, Study, TrialResult, VariantRef
from harness.study.expand import Cell, make_plan
from harness.study.launch.base import Pruning

Results = Callable[[str], TrialResult | None]
"""The newest finished result of a trial id."""


class Planner(Protocol):
    """A plan that may grow with results; the same results always give the same plan."""

    @property
    def plan(self) -> Plan:
        """Everything that is known to be run."""

    def advance(self, results: Results) -> bool:
        """Takes notice of results; whether the plan grew or was closed by them."""

    def pruning(self, trial_id: str) -> Pruning | None:
        """When the trial is to be given up; None for one that always runs to its end."""

    def record(self) -> bool:
        """Writes what a history of its own lacks; whether it has everything now."""

    @property
    def said(self) -> tuple[str, ...]:
        """Lines that a user should read, from the first on."""


class FixedPlanner:
    """The plan of a study whose trials do not depend on results."""

    def __init__(
        self, study: Study, cells: tuple[Cell, ...], fingerprints: Mapping[VariantRef, str]
    ) -> None:
        self.plan = make_plan(study, cells, fingerprints)

    def advance(self, results: Results) -> bool:
        """Never grows."""
        return False

    def pruning(self, trial_id: str) -> Pruning | None:
        """Every trial runs to its end."""
        return None

    def record(self) -> bool:
        """Has no history: the plan is all there is."""
        return True

    @property
    def said(self) -> tuple[str, ...]:
        """Nothing."""
        return ()
