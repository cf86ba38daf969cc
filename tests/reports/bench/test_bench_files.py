from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benched import STAGES, bench_record, bench_row, timed, together
from matplotlib import pyplot as plt

from harness.spec import SAMPLE_COLUMNS, BenchRecord
from reports.bench import to_markdown, write_bench
from reports.bench.bars import palette
from reports.bench.found import bench_of
from reports.bench.front import quality_figure
from reports.bench.panels import looks
from reports.bench.render import latex_of
from reports.bench.unrounded import csv_of

FIGURES = ["bench_quality.png", "bench_stages.png", "bench_batch.png", "bench_length.png"]
WORDS = ["bench.md", "bench.csv", "bench.tex", "bench.json", "bench_samples.parquet"]


@pytest.fixture(scope="module")
def whole():
    """Two rows with quality on both routes at two batch sizes."""
    rows = [bench_row("text", quality={"test/mae": 0.8}), bench_row("video", quality={"test/mae": 0.7})]
    samples = [
        timed(
            name, ms * np.arange(1, 3), route=route, batch=batch, process=process, stages={"forward": 1}
        )
        for name, ms in (("text", 1.0), ("video", 20.0))
        for route in ("end_to_end", "model_only")
        for batch in (1, 2)
        for process in (0, 1)
    ]
    return bench_record(*rows, settings={"batches": (1, 2)}), together(*samples)


@pytest.fixture(scope="module")
def folder(whole, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where they were written."""
    made = tmp_path_factory.mktemp("reports") / "new"
    write_bench(*whole, made)
    return made


def test_everything_is_written_and_reads_back(whole, folder: Path):
    record, samples = whole
    assert sorted(path.name for path in folder.iterdir()) == sorted(WORDS + FIGURES)
    assert BenchRecord.model_validate_json((folder / "bench.json").read_text()) == record
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "bench_samples.parquet"), samples)
    assert (folder / "bench.md").read_text() == to_markdown(record, samples)
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in FIGURES)
    assert not plt.get_fignums()


def test_the_numbers_are_unrounded_a_line_a_row_route_and_batch(folder: Path):
    found = pd.read_csv(folder / "bench.csv").set_index(["row", "route", "batch"])
    assert len(found) == 2 * 2 * 2
    line = found.loc[("video", "model_only", 2)]
    assert (line["median_ms"], line["ratio"], line["ms_per_clip"]) == (30.0, 20.0, 15.0)
    assert line["clips_per_second"] == pytest.approx(2000 / 30)
    assert found["ratio"].isna().sum() == 4


def test_the_same_record_gives_the_same_bytes(whole, folder: Path):
    bench = bench_of(*whole)
    assert quality_figure(bench) == (folder / "bench_quality.png").read_bytes()
    assert csv_of(bench) == (folder / "bench.csv").read_text()
    assert latex_of(bench) == (folder / "bench.tex").read_text()


def test_a_figure_without_sense_is_left_out_with_a_reason_and_an_old_one_goes(tmp_path: Path):
    for name in FIGURES:
        (tmp_path / name).touch()
    record = bench_record(bench_row("text"), clips=(("only", None, None),), settings={"batches": (1,)})
    samples = timed("text", [1.0])
    assert [path.name for path in write_bench(record, samples, tmp_path)] == WORDS
    assert not [name for name in FIGURES if (tmp_path / name).exists()]
    said = (tmp_path / "bench.md").read_text()
    assert "bench_quality.png is left out: no row has a quality, and latency alone" in said
    assert all(f"{name} is left out: " in said for name in FIGURES)


def test_columns_of_stages_that_nobody_has_may_be_absent(tmp_path: Path):
    samples = timed("text", [1.0])[list(SAMPLE_COLUMNS)]
    assert write_bench(bench_record(bench_row("text")), samples, tmp_path)


def test_every_stage_has_a_colour_of_its_own():
    found = palette()
    assert list(found) == list(STAGES)
    assert len(set(map(str, found.values()))) == len(STAGES)


def test_no_two_of_forty_rows_look_alike_and_back_ends_share_a_colour():
    names = [f"arm {n}{end}" for n in range(20) for end in ("", " · onnx")]
    found = looks([bench_row(name) for name in names])
    assert (
        len({str([style[key] for key in ("color", "marker", "linestyle")]) for style in found.values()})
        == 40
    )
    assert found["arm 3"]["color"] == found["arm 3 · onnx"]["color"]
    assert found["arm 3"]["linestyle"] == "-"
