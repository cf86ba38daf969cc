"""The files that a bench leaves."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from harness.spec import BadInput, BenchRecord
from reports.bench.bars import no_stages_figure, stages_figure
from reports.bench.found import Bench, bench_of
from reports.bench.front import no_quality_figure, quality_figure
from reports.bench.lines import batch_figure, length_figure, no_batch_figure, no_length_figure
from reports.bench.render import latex_of, markdown_of
from reports.bench.unrounded import csv_of

FIGURES: dict[str, tuple[Callable[[Bench], bytes], Callable[[Bench], str]]] = {
    "bench_quality.png": (quality_figure, no_quality_figure),
    "bench_stages.png": (stages_figure, no_stages_figure),
    "bench_batch.png": (batch_figure, no_batch_figure),
    "bench_length.png": (length_figure, no_length_figure),
}
"""By file what draws it, and what says why it cannot be drawn."""


def write_bench(record: BenchRecord, samples: pd.DataFrame, folder: Path) -> tuple[Path, ...]:
    """Writes tables, record, samples and figures; the same input gives the same bytes.

    ``bench.md``, ``bench.csv``, ``bench.tex``, ``bench.json`` (the record), ``bench_samples.parquet``
    and those of `FIGURES` that can be drawn; the table says why others are not there, and what an
    earlier bench left of them goes.

    Args:
        record: what was measured.
        samples: columns `SAMPLE_COLUMNS` and one a stage.
        folder: where the files go; made when absent.

    Raises:
        BadInput: the folder cannot be written.
    """
    bench = bench_of(record, samples)
    contents = _contents(bench)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        for name in FIGURES.keys() - contents.keys():
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror or error}", file=folder, key="--out"
        ) from error
    return tuple(folder / name for name in contents)


def to_markdown(record: BenchRecord, samples: pd.DataFrame) -> str:
    """What ``bench.md`` has, for the terminal."""
    bench = bench_of(record, samples)
    return markdown_of(bench, _without(bench))


def _contents(bench: Bench) -> dict[str, bytes]:
    table = io.BytesIO()
    bench.samples.to_parquet(table, index=False)
    words = {
        "bench.md": markdown_of(bench, _without(bench)),
        "bench.csv": csv_of(bench),
        "bench.tex": latex_of(bench),
        "bench.json": bench.record.model_dump_json(indent=1) + "\n",
    }
    return {
        **{name: content.encode() for name, content in words.items()},
        "bench_samples.parquet": table.getvalue(),
        **{name: draw(bench) for name, (draw, why_not) in FIGURES.items() if not why_not(bench)},
    }


def _without(bench: Bench) -> tuple[str, ...]:
    reasons = {name: why_not(bench) for name, (_, why_not) in FIGURES.items()}
    return tuple(f"{name} is left out: {reason}." for name, reason in reasons.items() if reason)
