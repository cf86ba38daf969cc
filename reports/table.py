"""A comparison as values: what every cell is, before anything is written."""

from __future__ import annotations

from typing import Literal

from harness.spec import BadInput, Frozen, Modality, Role, nearest
from reports.literature import PublishedRow
from reports.statistics import PairedDifference, SeedSummary


class Column(Frozen):
    """A metric as the table heads it."""

    metric: str
    label: str
    direction: Literal["lower", "higher"]
    unit: str
    digits: int
    spread: bool


class Cell(Frozen):
    """One arm in one metric; `n` of `summary` is 0 when no seed gave a value."""

    summary: SeedSummary
    best: bool = False


class Row(Frozen):
    """One arm."""

    arm: str
    role: Role
    modalities: tuple[Modality, ...] = ()
    """What its models read; empty where no record says so."""

    is_reference: bool
    """Whether it is the arm that the table names as its reference."""

    reference: str | None = None
    """The arm that it is compared with; None for a reference itself."""

    planned: int
    complete: int
    failed: int
    cells: tuple[Cell, ...]
    """In the order of the table's columns."""

    difference: PairedDifference | None = None
    unpaired: str = ""
    """Why there is no difference to the reference, where one could be expected."""

    failures: tuple[str, ...] = ()
    """Why seeds failed, each reason once."""

    fingerprints: tuple[str, ...]
    revisions: tuple[str, ...]
    hardware: tuple[str, ...]

    @property
    def missing(self) -> int:
        """Seeds without any record."""
        return self.planned - self.complete - self.failed

    @property
    def seeds(self) -> str:
        """``3``, or ``1/3 (1 failed, 1 missing)``."""
        if self.complete == self.planned:
            return str(self.planned)
        counts = {"failed": self.failed, "missing": self.missing}
        why = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"{self.complete}/{self.planned} ({why})"


class Table(Frozen):
    """A study's comparison on one split."""

    study: str
    caption: str
    split: str
    protocols: tuple[str, ...]
    reference: str | None
    compared: str
    """The metric that differences to the reference are in."""

    confidence: float
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    published: tuple[PublishedRow, ...] = ()
    """What stands below the table and is not comparable with it."""

    published_notes: tuple[str, ...] = ()

    def row(self, arm: str) -> Row:
        """The row of an arm; an unknown one is bad input."""
        rows = {row.arm: row for row in self.rows}
        if arm not in rows:
            raise BadInput(f"no arm '{arm}' in study '{self.study}'; {nearest(arm, rows)}", key="arm")
        return rows[arm]

    def cell(self, arm: str, metric: str) -> Cell:
        """The cell of an arm in a metric; an unknown one is bad input."""
        names = [column.metric for column in self.columns]
        if metric not in names:
            raise BadInput(f"no column '{metric}' in this table; {nearest(metric, names)}", key="metric")
        return self.row(arm).cells[names.index(metric)]
