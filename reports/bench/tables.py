"""How long calls took, in words: a table a route and batch size, and one of the stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from harness.spec import METRICS, BenchRecord, BenchRow, MetricSpec, Route
from reports.bench.found import Bench, Place
from reports.bench.ratios import CONFIDENCE
from reports.bench.stages import first_place, parts, present
from reports.bench.words import decimals, ratio_words, span, three_digits
from reports.text import DASH

ROUTES: dict[Route, str] = {"end_to_end": "End to end", "model_only": "Model only"}


@dataclass(frozen=True)
class Titled:
    """A table in words that are not escaped yet, what stands above it, and sentences below it."""

    title: str
    frame: pd.DataFrame
    said: tuple[str, ...] = ()


def time_tables(bench: Bench) -> Iterator[Titled]:
    """A table for each route at each batch size; every row is in it, timed or not."""
    for place in bench.places:
        found = bench.found[place]
        rows = [
            _names(bench, row) | (_times(bench, place, row.name) if row.name in found else {})
            for row in bench.record.rows
        ]
        if found:
            yield Titled(_title(bench, place), pd.DataFrame(rows).fillna(DASH))


def stage_table(bench: Bench) -> Iterator[Titled]:
    """Mean ms of each stage, the sum last; nothing where no row was timed end to end."""
    found, place = parts(bench), first_place(bench)
    if place is None or not found:
        return
    stages = present(found)
    rows = []
    for name, one in found.items():
        # Of the whole, so that what is shown adds up as far as rounding lets it.
        places = decimals(one.whole, digits=4)
        cells = {
            _heading(stage): f"{one.means[stage]:,.{places}f}" if stage in one.means else DASH
            for stage in stages
        }
        rows.append({"row": name, **cells, "sum": f"{one.sum:,.{places}f}"})
    said = (
        f"Means over samples, not medians, as means of parts sum to the mean of the whole; {DASH}: a "
        "stage that the row does not have.",
        *(
            f"Warning: the parts of {name} sum to {one.sum:g} ms, and its calls took {one.whole:g} ms "
            "in the mean: some of a call lies between its stages."
            for name, one in found.items()
            if not one.is_whole
        ),
    )
    yield Titled(f"Stages end to end, {calls_of(place.batch)}: mean ms a call", pd.DataFrame(rows), said)


def place_words(place: Place) -> str:
    """``end to end, 8 clips a call``."""
    return f"{ROUTES[place.route].lower()}, {calls_of(place.batch)}"


def calls_of(batch: int) -> str:
    """``8 clips a call``."""
    return "one clip a call" if batch == 1 else f"{batch} clips a call"


def named(record: BenchRecord, row: BenchRow) -> str:
    """The row, with a mark on the reference, and on random weights among trained ones."""
    weights = {one.weights for one in record.rows}
    marks = [
        *(["reference"] if row.name == record.reference else []),
        *(["RANDOM WEIGHTS"] if row.weights == "random" and len(weights) > 1 else []),
    ]
    return f"{row.name} ({', '.join(marks)})" if marks else row.name


def quality_metric(record: BenchRecord) -> tuple[str, MetricSpec]:
    """The split and the metric that stand for quality."""
    split, _, name = record.primary.rpartition("/")
    return split, METRICS[name]


def quality_heading(record: BenchRecord) -> str:
    """``test MAE ↓``."""
    split, metric = quality_metric(record)
    return f"{split} {metric.label} {metric.arrow}"


def _title(bench: Bench, place: Place) -> str:
    ready = "from ready tensors to outputs"
    if place.route == "end_to_end":
        asr = "not counted" if bench.record.settings.asr is None else "counted"
        ready = f"from files to scores, speech recognition {asr}"
    busy = ", BUSY MACHINE" if bench.is_busy else ""
    return f"{ROUTES[place.route]}, {calls_of(place.batch)}: ms a call, {ready}{busy}"


def _names(bench: Bench, row: BenchRow) -> dict[str, str]:
    record = bench.record
    names = {"row": named(record, row)}
    if bench.has_quality:
        value, digits = row.quality.get(record.primary), quality_metric(record)[1].digits
        names[quality_heading(record)] = DASH if value is None else f"{value:.{digits}f}"
    return names


def _times(bench: Bench, place: Place, row: str) -> dict[str, str]:
    found, reference = bench.found[place][row], bench.record.reference
    ms = found.times
    cells = {
        "median": three_digits(ms.median),
        "p90": three_digits(ms.p90),
        "p95": three_digits(ms.p95),
        "p99": three_digits(ms.p99),
        "mean ± sd": f"{three_digits(ms.mean)} ± {three_digits(ms.sd)}",
        "medians of processes": span(ms.low, ms.high),
        "samples (calls)": f"{ms.samples:,} ({ms.calls:,})",
    }
    if place.batch > 1:
        cells["ms a clip"] = three_digits(ms.median / place.batch)
        cells["clips/s"] = three_digits(1e3 * place.batch / ms.median)
    heading = f"times {reference} [{100 * CONFIDENCE:g}% interval]"
    return {**cells, heading: "1" if row == reference else ratio_words(found.ratio)}


def _heading(stage: str) -> str:
    return stage.replace("_", " ")
