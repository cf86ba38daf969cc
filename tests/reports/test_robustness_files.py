"""The files on robustness beside a table, and what the table says of them."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from report_samples import Study
from robustness_samples import RANDOM, SUBSETS, Asked, mae

from reports import write_report
from reports.robustness.curves import CURVES

GOLDEN = Path(__file__).parent / "golden"
PNG = b"\x89PNG\r\n\x1a\n"


def example() -> Asked:
    """A line that falls through that of text, one that never does, and two of text that stand still."""
    study = Asked(RANDOM, SUBSETS)

    def falls(condition, seed):
        lost = condition.level + 0.5 * (3 - len(condition.modalities))
        return {"mae": 0.75 + 0.5 * lost + 0.125 * seed, "corr": 0.75 - 0.5 * lost}

    study.answers("text", lambda condition, seed: {"mae": 1.0, "corr": 0.5}, "text", role="student")
    study.answers("late | fusion", falls, model="lf_dnn")
    study.answers("strong", lambda condition, seed: {"mae": 0.5 + 0.25 * condition.level, "corr": 0.75})
    study.answers("sound", lambda condition, seed: {"mae": 2.0, "corr": 0.125}, "audio")
    return study


def written(study: Study, folder: Path) -> dict[str, bytes]:
    report = write_report(study.store(), "small", folder)
    return {path.name: path.read_bytes() for path in report.paths[3:]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example's report was written."""
    path = tmp_path_factory.mktemp("example")
    written(example(), path)
    return path


@pytest.mark.parametrize("name", ["robustness.md", "robustness_summary.csv", "robustness_crossings.csv"])
def test_the_small_report_is_written_as_it_was_read_and_approved(name: str, folder: Path):
    assert (folder / name).read_text(encoding="utf-8") == (GOLDEN / name).read_text(encoding="utf-8")


def test_there_is_a_figure_for_every_protocol_and_metric_that_the_records_have(folder: Path):
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    drawn = [f"robustness_{asked}_{name}" for asked in ("random", "subsets") for name in CURVES[:2]]
    files = [f"{name}.{kind}" for name in drawn for kind in ("png", "svg")]
    tables = ["robustness.md", "robustness.csv", "robustness_summary.csv", "robustness_crossings.csv"]
    assert {name for name in found if not name.startswith("table.")} == {*tables, *files}
    assert found["robustness_random_mae.png"].startswith(PNG)
    assert b"<svg" in found["robustness_subsets_corr.svg"]


def test_a_study_without_protocols_has_none_of_it(tmp_path: Path):
    study = Study(["plain"], [0])
    study.gives("plain", 0, [1, 1, 1, 1])
    assert written(study, tmp_path) == {}
    assert "obustness" not in (tmp_path / "table.md").read_text(encoding="utf-8")


def test_the_same_records_give_the_same_bytes_of_every_file(tmp_path: Path):
    study = Asked(RANDOM)
    study.answers("text", mae(1, 1, 1), "text")
    study.answers("tfn", mae(0.9, 0.95, 1.1))
    assert written(study, tmp_path / "a") == written(study, tmp_path / "b")


def test_the_csv_has_every_arm_under_every_condition_to_the_last_digit(tmp_path: Path):
    study = Asked(RANDOM)
    study.answers("odd", mae(0.1 + 0.2, 1 / 3, 1))
    found = pd.read_csv(io.BytesIO(written(study, tmp_path)["robustness.csv"]))
    assert found["condition"].tolist() == ["random_0", "random_0.5", "random_1"]
    assert found["mean"].tolist()[0] == (0.1 + 0.2 + 0.1 + 0.2 + 0.1) / 2
    assert found["n"].tolist() == [2, 2, 2]


def test_the_table_names_the_files_and_where_lines_cross_in_its_first_metric(folder: Path):
    text = (folder / "table.md").read_text(encoding="utf-8")
    assert "random (3 levels from 0 to 1); subsets (7 subsets of T+V+A)" in text
    assert "robustness.md" in text
    assert (
        "random, MAE: text (text only) is better: from 0.375 than late \\| fusion; never than strong."
    ) in text
    assert "text, sound do not move" in text


@pytest.mark.parametrize("arms", [1, 30])
def test_a_study_of_any_number_of_arms_can_be_drawn(arms: int, tmp_path: Path):
    study = Asked(RANDOM, seeds=(0,))
    study.answers("text", mae(1, 1, 1), "text")
    for arm in range(arms):
        study.answers(f"arm {arm}", mae(0.9, 0.95, 1.1 + arm / 10))
    assert written(study, tmp_path)["robustness_random_mae.png"].startswith(PNG)


def test_a_study_that_no_arm_has_answered_yet_says_so(tmp_path: Path):
    study = Asked(RANDOM)
    study.arms = ["plain"]
    study.specs |= {("plain", seed): example().specs["text", 0] for seed in study.seeds}
    found = written(study, tmp_path)
    assert "No arm has an answer yet." in found["robustness.md"].decode()
    assert "random: no arm has an answer yet" in (tmp_path / "table.md").read_text(encoding="utf-8")
