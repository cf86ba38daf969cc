"""Statements about a table that are true or false, with the numbers that decide."""

from __future__ import annotations

import math
from collections.abc import Iterable

from harness.spec import METRICS, Frozen
from reports.table import Table


class Claim(Frozen):
    """A statement, whether the table bears it out, and by which numbers."""

    statement: str
    holds: bool
    evidence: str


def better_than_reference(table: Table, arm: str) -> Claim:
    """The arm is better than the arm it is compared with, and the interval excludes 0.

    Both arms must be complete: a seed that failed may be the one that says otherwise.
    """
    found, reference = table.row(arm).difference, table.row(arm).reference
    metric = METRICS[table.compared]
    statement = f"{arm} has a {metric.direction} {metric.label} than {reference}"
    if found is None:
        return Claim(statement=statement, holds=False, evidence="there is no difference to judge")
    evidence = f"{found.estimate:+.4f} [{found.lower:+.4f}, {found.upper:+.4f}] ({found.method})"
    complete = all(table.row(one).complete == table.row(one).planned for one in (arm, reference or arm))
    return Claim(statement=statement, holds=complete and found.is_better, evidence=evidence)


def not_better_than_reference(table: Table, arm: str) -> Claim:
    """What a control has to show: its interval does not lie on the better side of 0."""
    better = better_than_reference(table, arm)
    known = table.row(arm).difference is not None
    metric = METRICS[table.compared]
    statement = f"{arm} has no {metric.direction} {metric.label} than {table.row(arm).reference}"
    return Claim(statement=statement, holds=known and not better.holds, evidence=better.evidence)


def worst(table: Table, arm: str, among: Iterable[str], metric: str = "mae") -> Claim:
    """The arm's mean is worse than that of every other arm in `among`."""
    means = {one: _mean(table, one, metric) for one in {arm, *among}}
    others = [mean for one, mean in means.items() if one != arm]
    sign = 1 if _lower_is_better(table, metric) else -1
    return Claim(
        statement=f"{arm} is the worst of {', '.join(sorted(means))} in {metric}",
        holds=bool(others) and all(sign * means[arm] > sign * mean for mean in others),
        evidence=", ".join(f"{one} {mean:.4f}" for one, mean in sorted(means.items())),
    )


def at_most(table: Table, arm: str, metric: str, bound: float) -> Claim:
    """The arm's mean is not above the bound."""
    mean = _mean(table, arm, metric)
    return Claim(
        statement=f"{arm} has {metric} of at most {bound:g}", holds=mean <= bound, evidence=f"{mean:.4f}"
    )


def all_complete(table: Table) -> Claim:
    """Every arm has a result under every seed."""
    short = [
        f"{row.arm} {row.complete}/{row.planned}" for row in table.rows if row.complete < row.planned
    ]
    return Claim(
        statement="every arm is complete", holds=not short, evidence=", ".join(short) or "none is short"
    )


def _mean(table: Table, arm: str, metric: str) -> float:
    """The mean of a cell; NaN, which bears out nothing, when a seed is missing."""
    summary = table.cell(arm, metric).summary
    return summary.mean if summary.n == table.row(arm).planned else math.nan


def _lower_is_better(table: Table, metric: str) -> bool:
    return next(column.direction for column in table.columns if column.metric == metric) == "lower"
