"""Cells as words, and words as Markdown or LaTeX allow them."""

from __future__ import annotations

import math

from harness.spec import METRICS
from reports.statistics import PairedDifference, SeedSummary
from reports.table import Column, Row, Table

DASH = "–"

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "±": r"$\pm$",
        "Δ": r"$\Delta$",
        "↓": r"$\downarrow$",
        "↑": r"$\uparrow$",
        "–": "--",
        "×": r"$\times$",
        "†": r"$\dagger$",
    }
)
_MARKDOWN = str.maketrans({char: f"\\{char}" for char in "\\`*|<>"})


def latex(words: str) -> str:
    """The words for a LaTeX document."""
    return words.translate(_LATEX)


def markdown(words: str) -> str:
    """The words for Markdown, where none of them is markup."""
    return " ".join(words.translate(_MARKDOWN).split())


def heading(column: Column) -> str:
    """``Latency ↓ (ms)``."""
    return f"{column.label} ({column.unit})" if column.unit else column.label


def difference_heading(table: Table) -> str:
    """``Δ MAE to plain ↓ (95% interval)``."""
    metric = METRICS[table.compared]
    interval = f"{100 * table.confidence:g}% interval"
    return f"Δ {metric.label} to {table.reference} {metric.arrow} ({interval})"


def value(summary: SeedSummary, column: Column, complete: int) -> str:
    """``0.712 ± 0.013``; no ± for one seed; the n of its own where it is not the row's."""
    if summary.n == 0:
        return DASH
    words = _number(summary.mean, column.digits)
    if column.spread and not math.isnan(summary.sd):
        words += f" ± {_number(summary.sd, column.digits)}"
    return words if summary.n == complete else f"{words} (n={summary.n})"


def difference(found: PairedDifference | None, digits: int) -> str:
    """``-0.105 ± 0.012 [-0.131, -0.080]``, with the interval's kind where it is not BCa."""
    if found is None:
        return DASH
    words = f"{found.estimate:+.{digits}f}"
    if not math.isnan(found.seeds.sd):
        words += f" ± {_number(found.seeds.sd, digits)}"
    if found.method == "no spread":
        return f"{words} [no spread]"
    words += f" [{found.lower:+.{digits}f}, {found.upper:+.{digits}f}]"
    return words if found.method == "BCa" else f"{words} ({found.method})"


def arm_name(row: Row) -> str:
    """The arm, with a mark on the reference."""
    return f"{row.arm} (reference)" if row.is_reference else row.arm


def _number(number: float, digits: int) -> str:
    return "NaN" if math.isnan(number) else f"{number:.{digits}f}"
