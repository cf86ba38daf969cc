"""From records to a table: every arm's cells, its difference to the reference, and the best of each."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness.spec import BadInput, SearchStudy, TrialResult, digest, nearest
from reports.collect import Records
from reports.conditions import hardware
from reports.grouping import reference_of
from reports.latency import shared_latencies
from reports.layout import Layout, LayoutColumn
from reports.literature import PublishedRow, published_notes, published_rows
from reports.notes import notes
from reports.readers import modalities_of
from reports.search.tries import searched_arms
from reports.statistics import (
    NotPairedError,
    PairedDifference,
    Question,
    paired_difference,
    seed_summary,
)
from reports.table import Cell, Column, Row, Table
from reports.warnings import row_warnings, warnings


def build_table(records: Records, layout: Layout, reference: str | None = None) -> Table:
    """The table of these records; `reference` stands in for the arm that the study names.

    Raises:
        BadInput: The reference is no arm of the study, or nothing is published under a name.
    """
    study = records.plan.study
    reference = reference if reference is not None else study.reference
    # An arm whose search has not chosen yet is one without a row.
    arms = {*records.arms, *(searched_arms(study) if isinstance(study, SearchStudy) else ())}
    if reference is not None and reference not in arms:
        raise BadInput(
            f"no arm '{reference}' in study '{study.name}'; {nearest(reference, arms)}",
            key="reference",
        )
    latencies = shared_latencies(records)
    rows = [_row(records, layout, arm, reference, latencies) for arm in records.arms]
    columns = tuple(_column(column) for column in layout.columns)
    return Table(
        study=study.name,
        caption=study.title or layout.caption,
        split=layout.split,
        protocols=tuple(sorted({seen.spec.protocol for seen in records.observations})),
        reference=reference,
        compared=layout.compared,
        confidence=layout.bootstrap.confidence,
        columns=columns,
        rows=tuple(_mark_best(rows, columns)),
        notes=notes(records, layout, reference),
        warnings=(*warnings(records, layout, reference), *row_warnings(rows, columns)),
        published=_published(study.published, layout),
        published_notes=published_notes(study.published),
    )


def _column(column: LayoutColumn) -> Column:
    return Column(
        metric=column.metric,
        label=f"{column.spec.label} {column.spec.arrow}",
        direction=column.spec.direction,
        unit=column.spec.unit,
        digits=column.spec.digits,
        spread=column.spread,
    )


def _row(
    records: Records,
    layout: Layout,
    arm: str,
    reference: str | None,
    latencies: Mapping[str, float],
) -> Row:
    compared = reference_of(records, arm, reference)
    seen = records.of(arm)
    results = [result for _, result in records.complete(arm)]
    failures = dict.fromkeys(
        one.result.failure.message for one in seen if one.result is not None and one.result.failure
    )
    difference, unpaired = _difference(records, layout, arm, compared)
    return Row(
        arm=arm,
        role=seen[0].spec.role,
        modalities=modalities_of(records, arm),
        is_reference=arm == reference,
        reference=compared,
        planned=len(seen),
        complete=len(results),
        failed=sum(one.state == "failed" for one in seen),
        cells=tuple(_cell(results, column.metric, layout.split, latencies) for column in layout.columns),
        difference=difference,
        unpaired=unpaired,
        failures=tuple(failures),
        fingerprints=tuple(sorted({result.data_fingerprint for result in results})),
        revisions=tuple(sorted({result.environment.code_revision for result in results})),
        hardware=tuple(sorted({hardware(result) for result in results})),
    )


def _cell(results: list[TrialResult], metric: str, split: str, latencies: Mapping[str, float]) -> Cell:
    values = (_value(result, metric, split, latencies) for result in results)
    return Cell(summary=seed_summary(value for value in values if value is not None))


def _value(result: TrialResult, metric: str, split: str, latencies: Mapping[str, float]) -> float | None:
    """The metric in the unit that its column shows; None when the record does not have it."""
    if metric == "latency_ms":
        return latencies.get(result.trial_id)
    if metric in {"parameters", "flops"}:
        count = getattr(result.efficiency, metric, None)
        return None if count is None else count / 1e6
    return result.metrics.get(f"{split}/{metric}")


def _published(names: tuple[str, ...], layout: Layout) -> tuple[PublishedRow, ...]:
    """Of the published rows those with a number in one of the columns."""
    shown = {column.metric for column in layout.columns}
    return tuple(row for row in published_rows(names) if shown & row.numbers.keys())


def _difference(
    records: Records, layout: Layout, arm: str, reference: str | None
) -> tuple[PairedDifference | None, str]:
    spec = records.of(arm)[0].spec
    # A teacher of retrieval judges pairs of clips, and finds none: there is nothing to subtract.
    if reference is None or (spec.role == "teacher" and spec.task.kind == "retrieval"):
        return None, ""
    drawn = layout.bootstrap
    # An arm's own stream: one more arm does not move the intervals of the others.
    rng = np.random.default_rng(int(digest([drawn.seed, "bootstrap", arm]), 16))
    try:
        found = paired_difference(
            _predictions(records, arm),
            _predictions(records, reference),
            Question(metric=layout.compared, split=layout.split),
            drawn,
            rng,
        )
    except NotPairedError as error:
        return None, str(error)
    return found, ""


def _predictions(records: Records, arm: str) -> dict[int, pd.DataFrame]:
    return {
        seen.seed: seen.predictions for seen, _ in records.complete(arm) if seen.predictions is not None
    }


def _mark_best(rows: list[Row], columns: tuple[Column, ...]) -> list[Row]:
    """The rows with the best mean of each column marked, all of them if several share it."""
    best = [_best(rows, index, column) for index, column in enumerate(columns)]
    marked = []
    for row in rows:
        cells = tuple(
            cell.model_copy(update={"best": _counts(row, cell) and cell.summary.mean == value})
            for cell, value in zip(row.cells, best, strict=True)
        )
        marked.append(row.model_copy(update={"cells": cells}))
    return marked


def _counts(row: Row, cell: Cell) -> bool:
    """Whether the cell takes part in the contest: a mean over fewer seeds than planned does not."""
    return cell.summary.n == row.planned


def _best(rows: list[Row], index: int, column: Column) -> float:
    cells = [(row, row.cells[index]) for row in rows]
    means = [cell.summary.mean for row, cell in cells if _counts(row, cell)]
    defined = [mean for mean in means if not math.isnan(mean)]
    if not defined:
        return math.nan
    return min(defined) if column.direction == "lower" else max(defined)
