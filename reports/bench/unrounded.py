"""The numbers of a bench as they are, for a program."""

from __future__ import annotations

import pandas as pd

from harness.spec import BenchRow
from reports.bench.found import Bench, Found, Place
from reports.bench.stages import STAGES, Parts, first_place, parts


def csv_of(bench: Bench) -> str:
    """A line a row, route and batch size, unrounded; an empty field is no number."""
    found, first = parts(bench), first_place(bench)
    lines = [
        _line(bench, row, place, found.get(row.name) if place == first else None)
        for place in bench.places
        for row in bench.record.rows
    ]
    # As objects: an empty field would make floats of a column's whole numbers.
    return pd.DataFrame(lines, dtype=object).to_csv(index=False, lineterminator="\n")


def _line(bench: Bench, row: BenchRow, place: Place, staged: Parts | None) -> dict[str, object]:
    record, found = bench.record, bench.found[place].get(row.name)
    return {
        "study": record.study,
        "row": row.name,
        "route": place.route,
        "batch": place.batch,
        "is_reference": row.name == record.reference,
        **_timed(found, place),
        **{f"mean_{stage}_ms": staged and staged.means.get(stage) for stage in STAGES},
        **_facts(row),
        **{f"quality_{name}": row.quality.get(name) for name in _qualities(bench)},
        "busy": bench.is_busy,
        "refused": row.refused or ("" if found else "no sample was taken"),
        "data_fingerprint": record.data_fingerprint,
        "code_revision": record.environment.code_revision,
    }


def _timed(found: Found | None, place: Place) -> dict[str, object]:
    names = ("samples", "calls", "processes")
    ms = ("median", "p90", "p95", "p99", "mean", "sd")
    times, ratio = (None, None) if found is None else (found.times, found.ratio)
    return {
        **{name: times and getattr(times, name) for name in names},
        **{f"{name}_ms": times and getattr(times, name) for name in ms},
        "smallest_process_median_ms": times and times.low,
        "largest_process_median_ms": times and times.high,
        "ms_per_clip": times and times.median / place.batch,
        "clips_per_second": times and 1e3 * place.batch / times.median,
        "ratio": ratio and ratio.estimate,
        "ratio_lower": ratio and ratio.lower,
        "ratio_upper": ratio and ratio.upper,
        "ratio_processes": ratio and ratio.processes,
        "ratio_groups": ratio and ratio.groups,
        "ratio_left_out": ratio and ratio.left_out,
    }


def _facts(row: BenchRow) -> dict[str, object]:
    kept = row.model_dump(
        include={
            *("arm", "role", "model", "trial_id", "weights", "parameters", "needed_parameters"),
            *("extractor_parameters", "flops", "end_to_end_flops", "file_bytes", "joules"),
        }
    )
    for name, value in (("cold", row.cold), ("memory", row.memory), ("deviation", row.deviation)):
        kept |= {f"{name}_{key}": one for key, one in (value.model_dump() if value else {}).items()}
    return {**kept, "backend": row.backend.name}


def _qualities(bench: Bench) -> list[str]:
    return sorted({name for row in bench.record.rows for name in row.quality})
