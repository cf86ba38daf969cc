"""What makes a table weaker than it looks."""

from __future__ import annotations

import math

from harness.spec import METRICS, SearchStudy
from reports.collapse import collapse_warnings
from reports.collect import Records
from reports.grouping import about, spec_by_arm
from reports.layout import Layout
from reports.machines import latency_conditions, origins
from reports.ranking import tie_warnings
from reports.search.warnings import search_warnings
from reports.statistics import PairedDifference
from reports.table import Column, Row

FEW_VIDEOS = 20
"""Below this a bootstrap over videos gives intervals that are clearly too narrow."""


def warnings(records: Records, layout: Layout, reference: str | None) -> tuple[str, ...]:
    """What is wrong with the study as a whole."""
    found = list(search_warnings(records))
    study = records.plan.study
    # The points of a front have none.
    is_front = isinstance(study, SearchStudy) and len(study.search.objective) > 1
    if reference is None and not is_front:
        found.append("no reference arm is named, so no difference is shown.")
    specs = spec_by_arm(records)
    if any(spec.teacher is not None for spec in specs.values()):
        found += [
            f"{control.label} is missing from this table; a gain cannot be ascribed to the teacher."
            for control in layout.controls
            if not any(pattern.fits(spec) for pattern in control.any_of for spec in specs.values())
        ]
    conditions = latency_conditions(records)
    if len(conditions) > 1:
        found.append(
            "latencies were measured under different conditions and do not compare: "
            + "; ".join(about(conditions, specs))
            + "."
        )
    for name, values in origins(records).items():
        if len(values) > 1:
            found.append(f"{name} differs: {'; '.join(about(values, specs))}.")
    return (
        *found,
        *collapse_warnings(records, layout.split),
        *tie_warnings(records, layout.split),
    )


def row_warnings(rows: list[Row], columns: tuple[Column, ...]) -> tuple[str, ...]:
    """What is wrong with single arms."""
    found = [_incomplete(row) for row in rows if row.complete < row.planned]
    found += [
        f"{row.arm} has no difference to the reference: {row.unpaired}."
        for row in rows
        if row.unpaired and row.complete
    ]
    few = {row.difference.videos for row in rows if row.difference is not None} & set(range(FEW_VIDEOS))
    found += [
        f"intervals rest on {videos} source videos only and are too narrow." for videos in sorted(few)
    ]
    found += [
        f"the protocol's {(label := METRICS[row.difference.metric].label)} of {row.arm} is not the mean "
        f"over all its clips ({shown}), which Δ {label} is about."
        for row in rows
        if row.difference is not None and (shown := _other_mean(row, row.difference, columns))
    ]
    return tuple(found)


def _incomplete(row: Row) -> str:
    why = f" Failed with: {'; '.join(row.failures)}." if row.failures else ""
    rest = " Its means are over the others and never bold." if row.complete else ""
    return f"{row.arm}: seeds complete {row.seeds}.{rest}{why}"


def _other_mean(row: Row, found: PairedDifference, columns: tuple[Column, ...]) -> str:
    """The mean over clips, where the protocol (clipping, leaving labels out) has another one."""
    means = [
        cell.summary.mean
        for cell, column in zip(row.cells, columns, strict=True)
        if column.metric == found.metric and cell.summary.n == found.seeds.n
    ]
    if not means or math.isclose(means[0], found.arm_value, rel_tol=1e-6):
        return ""
    return f"{found.arm_value:.3f}"
