"""What rows are and need beside time, in words: size, operations, memory, energy, first calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.spec import METRICS, BenchRecord, BenchRow, Deviation
from reports.bench.tables import Titled, named
from reports.bench.words import billions, mebibytes, millions, three_digits
from reports.grouping import grouped
from reports.text import DASH


def cost_tables(record: BenchRecord) -> Iterator[Titled]:
    """Sizes; memory and energy; cold starts; what back ends change."""
    yield Titled(
        "Size and operations",
        pd.DataFrame([{"row": named(record, row), **_sizes(row)} for row in record.rows]),
        tuple(_components(record)),
    )
    kept = [row for row in record.rows if row.memory is not None or row.joules is not None]
    if kept:
        yield Titled(
            _memory_title(kept),
            pd.DataFrame([_memory(record, row) for row in kept])
            .dropna(axis="columns", how="all")
            .fillna(DASH),
        )
    started = [row for row in record.rows if row.cold is not None]
    if started:
        yield Titled("Cold start: seconds in a fresh process, not among the times above", _cold(started))
    others = [row for row in record.rows if row.deviation is not None]
    if others:
        yield Titled(
            "Back ends against eager, on clips of the test split", _deviations(others), _worth(others)
        )


def _sizes(row: BenchRow) -> dict[str, str]:
    # Of a row that was refused before it was built nothing was counted.
    counted = row.parameters > 0
    return {
        "role": row.role,
        "model": row.model,
        "back end": row.backend.name,
        "reads": ", ".join(row.views) or DASH,
        "parameters (M)": millions(row.parameters) if counted else DASH,
        "needed (M)": millions(row.needed_parameters) if counted else DASH,
        "extractors (M)": millions(row.extractor_parameters) if counted else DASH,
        "GFLOPs forward": billions(row.flops),
        "GFLOPs end to end": billions(row.end_to_end_flops),
        "file (MiB)": mebibytes(row.file_bytes),
    }


def _components(record: BenchRecord) -> Iterator[str]:
    """Each model once, by the arms whose it is."""
    said = ((row.arm, _by_part(row)) for row in record.rows if row.components)
    for components, arms in grouped(said).items():
        yield f"Parameters by part of {', '.join(arms)}: {components}."


def _by_part(row: BenchRow) -> str:
    return ", ".join(f"{part} {millions(count)} M" for part, count in row.components.items())


def _memory_title(rows: list[BenchRow]) -> str:
    energy = ", and energy" if any(row.joules is not None for row in rows) else ""
    return f"Peak memory{energy} of a process that has one row for itself"


def _memory(record: BenchRecord, row: BenchRow) -> dict[str, str | None]:
    """None is a column's to lose where all rows have it."""
    found = row.memory
    return {
        "row": named(record, row),
        "peak RSS (MiB)": None if found is None else mebibytes(found.peak_rss),
        "above baseline (MiB)": None
        if found is None
        else mebibytes(found.peak_rss - found.baseline_rss),
        "accelerator, allocated (MiB)": None if found is None else _known(found.accelerator_allocated),
        "accelerator, reserved (MiB)": None if found is None else _known(found.accelerator_reserved),
        "J a clip": None if row.joules is None else three_digits(row.joules),
    }


def _known(number: int | None) -> str | None:
    return None if number is None else mebibytes(number)


def _cold(rows: list[BenchRow]) -> pd.DataFrame:
    found: list[dict[str, Any]] = [
        {
            "row": row.name,
            "import": three_digits(row.cold.imports),
            "load": three_digits(row.cold.load),
            "first call": three_digits(row.cold.first_call),
            "second call": three_digits(row.cold.second_call),
            "file cache at the first call": "dropped" if row.cold.cache_was_dropped else "not dropped",
        }
        for row in rows
        if row.cold is not None
    ]
    return pd.DataFrame(found)


def _deviations(rows: list[BenchRow]) -> pd.DataFrame:
    return pd.DataFrame([_deviation(row, row.deviation) for row in rows if row.deviation is not None])


def _deviation(row: BenchRow, found: Deviation) -> dict[str, str]:
    metric = METRICS[found.metric.rpartition("/")[2]]
    values = (found.eager, found.found)
    # Of a change below the digits of the metric it matters how far below.
    words = [f"{value:.{metric.digits}f}" for value in values] + [f"{found.change:+.2g}"]
    eager, own, change = words if row.weights == "trained" else [DASH] * 3
    return {
        "row": row.name,
        "clips": str(found.clips),
        "largest difference": f"{found.largest:.2g}",
        "metric": f"{metric.label} {metric.arrow}",
        "on eager": eager,
        "here": own,
        "change": change,
    }


def _worth(rows: list[BenchRow]) -> tuple[str, ...]:
    if all(row.weights == "trained" for row in rows):
        return ()
    return ("A metric of random weights is worth nothing, and is not shown; how far outputs are is.",)
