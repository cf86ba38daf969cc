from __future__ import annotations

import io
import math
from pathlib import Path

import pandas as pd
import pytest
from report_samples import FAILED, NAN, Study, advised, efficiency

from harness.spec import BadInput
from reports import Report, build_table, collect, write_report
from reports.layout import Layout, LayoutColumn
from reports.render import to_csv, to_latex, to_markdown
from reports.statistics import Bootstrap

GOLDEN = Path(__file__).parent / "golden"
LAYOUT = Layout(
    name="small",
    caption="Small",
    split="test",
    columns=tuple(
        LayoutColumn(metric=name, spread=name != "parameters") for name in ("mae", "corr", "parameters")
    ),
    bootstrap=Bootstrap(resamples=999),
)


def example() -> Study:
    """Every kind of cell: reference, best, undefined, one seed of two, failed, missing."""
    study = Study(["plain", "step_2 & 50%", "lucky", "broken", "not run"], [0, 1])
    study.trains("step_2 & 50%", advised)
    study.gives("plain", 0, [1, 1, 1, 1.4], metrics={"corr": NAN})
    study.gives("plain", 1, [1, 1, 1, 1.8], metrics={"corr": 0.5})
    for seed, score in ((0, 0.4), (1, 0.6)):
        study.gives("step_2 & 50%", seed, [score, 0.5, 0.6, 0.9], metrics={"corr": 0.25 + seed / 2})
    study.gives("lucky", 0, [0.1] * 4, metrics={"corr": 0.99}, efficiency=efficiency(1_000_000, 1.0))
    study.gives("lucky", 1, FAILED)
    study.gives("broken", 0, FAILED)
    study.gives("broken", 1, FAILED)
    return study


def rendered() -> dict[str, str]:
    table = build_table(collect(example().store(), "small"), LAYOUT)
    return {"table.md": to_markdown(table), "table.csv": to_csv(table), "table.tex": to_latex(table)}


def write(folder: Path) -> Report:
    return write_report(example().store(), "small", folder)


@pytest.mark.parametrize("name", ["table.md", "table.csv", "table.tex"])
def test_the_small_table_is_written_as_it_was_read_and_approved(name: str) -> None:
    assert rendered()[name] == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_csv_reads_back_to_the_last_digit() -> None:
    table = build_table(collect(example().store(), "small"), LAYOUT)
    found = pd.read_csv(io.StringIO(to_csv(table))).set_index("arm")
    for row in table.rows:
        mean = found.loc[row.arm, "mae_mean"]
        assert mean == row.cells[0].summary.mean or (math.isnan(mean) and row.complete == 0)
    taught = table.row("step_2 & 50%").difference
    assert taught is not None
    assert found.loc["step_2 & 50%", "difference_mae_lower"] == taught.lower
    assert found.loc["step_2 & 50%", "difference_mae_upper"] == taught.upper


def test_one_seed_shows_no_spread_anywhere() -> None:
    (line,) = [line for line in rendered()["table.md"].splitlines() if line.startswith("| lucky")]
    assert "±" not in line
    assert "0.000" not in line


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert [path.name for path in first.paths] == ["table.md", "table.csv", "table.tex"]
    for one, other in zip(first.paths, second.paths, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert first.markdown == first.paths[0].read_text(encoding="utf-8")


def test_writing_again_replaces_the_files_and_leaves_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text("an older table")
    write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.csv", "table.md", "table.tex"]
    assert "an older table" not in (tmp_path / "table.md").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="--out: cannot be written"):
        write(tmp_path / "file" / "reports")


def test_the_written_table_says_what_stands_behind_its_numbers(tmp_path: Path) -> None:
    text = write(tmp_path).markdown
    for fact in (
        "Protocol mmsa; split test: 4 clips of 2 videos",
        "best val/mae, chosen on validation clips only",
        "Seeds 0, 1",
        "Data d1; code abc1234",
        "some cpu, 2 cores, 1 threads",
        "9999 resamples of whole source videos",
        "parameters needed at inference",
        "precision 32-true",
        "same budget",
        "VideoAdviser (our reading)",
    ):
        assert fact in text
