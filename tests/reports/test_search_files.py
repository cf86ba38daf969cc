"""The files of a search's report, pictures included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from report_samples import Study, efficiency
from search_samples import Searched, front, one_objective

from reports import collect, write_report
from reports.canvas import axes, fit
from reports.search.figures import front_figure, search_figure

PNG = b"\x89PNG\r\n\x1a\n"


def written(study: Searched | Study, folder: Path, name: str = "tuned") -> dict[str, bytes]:
    report = write_report(study.store(), name, folder)
    return {path.name: path.read_bytes() for path in report.paths[3:]}


def test_a_search_of_one_objective_has_a_list_and_a_picture(tmp_path: Path):
    found = written(one_objective(), tmp_path)
    assert list(found) == ["search.md", "search.csv", "search.png"]
    assert found["search.png"].startswith(PNG)


def test_a_search_of_several_has_a_front_as_well(tmp_path: Path):
    found = written(front(), tmp_path)
    assert list(found) == ["search.md", "search.csv", "front.csv", "front.png", "front.svg"]
    assert found["front.png"].startswith(PNG)
    assert b"<svg" in found["front.svg"]


def test_a_study_without_searches_has_neither(tmp_path: Path):
    study = Study(["plain"], [0])
    study.gives("plain", 0, [1, 1, 1, 1])
    assert written(study, tmp_path, "small") == {}


@pytest.mark.parametrize("make", [one_objective, front])
def test_the_same_records_give_the_same_bytes_of_every_file(make: Any, tmp_path: Path):
    assert written(make(), tmp_path / "a") == written(make(), tmp_path / "b")


def test_other_records_give_another_picture():
    study = front()
    seen = front_figure(collect(study.store(), "tuned"), study.study, "svg")
    study.tries("searched", 6, 0.1, record={"efficiency": efficiency(10, 1.0)})
    assert front_figure(collect(study.store(), "tuned"), study.study, "svg") != seen


def test_pictures_leave_no_figure_open_and_no_setting_changed():
    before, study = dict(mpl.rcParams), one_objective()
    with mpl.rc_context({"axes.titlesize": 40, "svg.hashsalt": "another"}):
        records = collect(study.store(), "tuned")
        picture = search_figure(records, study.study, "svg")
    assert picture == search_figure(records, study.study, "svg")
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("objective", ["val/mae", ("val/mae", "latency_ms"), ("parameters", "val/corr")])
def test_a_search_without_any_complete_trial_has_its_files(objective: Any, tmp_path: Path):
    study = Searched("plain", objective=objective, is_open=True)
    study.proposes("plain", 0)
    study.fails("plain", 1)
    assert len(written(study, tmp_path)) in {3, 5}


def test_three_objectives_and_one_seed_can_be_drawn():
    study = Searched("one", objective=("parameters", "val/mae", "latency_ms"))
    for number in range(3):
        cost = {"efficiency": efficiency(10 ** (3 + number), 3.0 - number)}
        study.tries("one", number, 0.5 - 0.1 * number, record=cost)
    study.chooses("one", 0, "one #0", {0: 0.5})
    assert front_figure(collect(study.store(), "tuned"), study.study, "png").startswith(PNG)


@pytest.mark.parametrize(("direction", "sign"), [("lower", 1), ("higher", -1)])
def test_a_trial_that_diverged_is_left_outside_and_said_to_be(direction: Any, sign: int):
    heights = [sign * (0.5 + 0.01 * number) for number in range(19)]
    with axes() as plot:
        assert fit(plot, heights, heights, direction) == ""
        assert fit(plot, [*heights, sign * 50.0], heights, direction) == "1 worse one is outside"
        low, high = sorted(plot.get_ylim())
    assert low < min(heights) < max(heights) < high
    assert high - low < 1


def test_what_has_to_be_seen_is_inside_however_bad():
    heights = [0.5 + 0.01 * number for number in range(19)]
    with axes() as plot:
        assert fit(plot, [*heights, 50.0], [0.5, 50.0], "lower") == ""
