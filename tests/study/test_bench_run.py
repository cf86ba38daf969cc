"""A bench as a whole, its processes played by this one: the record, and what befalls a process."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
import torch
from benches import settings, toy_study, untrained

from harness.efficiency.machine import machine_state
from harness.engine.bench import together as measuring
from harness.engine.bench.alone import alone
from harness.engine.bench.loaded import Loaded
from harness.engine.bench.together import together
from harness.spec import BadInput
from harness.study.bench import run as running
from harness.study.bench.processes import MeasurementFault, Processes, cause


@pytest.fixture(scope="module")
def plan():
    return untrained(toy_study())


class Played:
    """Answers orders in this process, on a machine whose other load can be said.

    Attributes:
        before, meanwhile: share of the cores that others use.
        fails: asked with the names of an order's rows and the number of its process, and None for that
            of a row alone; what it gives is why that process dies.
        asked: the same of every order that was answered or not.
    """

    def __init__(self):
        self.before, self.meanwhile = 0.0, 0.0
        self.fails, self.asked = lambda rows, number: None, []

    def begin(self, order, number):
        rows = tuple(row.name for row in order.entrants)
        self.asked.append((rows, number))
        if reason := self.fails(rows, number):
            raise MeasurementFault(reason)

    def alone(self, order):
        self.begin(order, None)
        return alone(order, imports=1.0)

    def together(self, order):
        self.begin(order, order.number)
        found = together(order)
        shares = {"others_share": self.before, "others_share_meanwhile": self.meanwhile}
        machine = found.machine.model_copy(update=shares)
        return replace(found, machine=machine)


@pytest.fixture
def played(monkeypatch):
    one = Played()
    monkeypatch.setattr(Processes, "alone", lambda _, order: one.alone(order))
    monkeypatch.setattr(Processes, "together", lambda _, order: one.together(order))
    # Who else is at work is said, not watched.
    monkeypatch.setattr(measuring, "machine_state", partial(machine_state, seconds=0))
    before = torch.get_num_threads()
    yield one
    torch.set_num_threads(before)


@pytest.fixture
def bench(played, tmp_path):
    return partial(running.bench, work=tmp_path / "work")


def test_the_record_has_every_row_and_the_samples_of_every_process(plan, bench):
    said = []
    given = settings(arms=("alone", "both_steps"), processes=2)
    found = bench(plan, given, None, say=said.append)
    assert [row.name for row in found.record.rows] == ["alone", "both_steps"]
    assert (found.record.reference, found.record.primary) == ("alone", "test/mae")
    assert len(found.record.machines) == 2
    assert set(found.samples.process) == {0, 1}
    assert said[-1] == "all rows side by side, process 2 of 2"
    assert all(row.notes[0] != "BUSY" for row in found.record.rows)


def test_the_group_of_a_sample_at_batch_1_is_the_place_of_its_clip_in_the_record(
    plan, bench, monkeypatch
):
    called = {}
    inner = Loaded.model_only

    def model_only(self, groups):
        if all(len(rows) == 1 for rows in groups):
            called.update({number: self.source.ids[rows[0]] for number, rows in enumerate(groups)})
        return inner(self, groups)

    monkeypatch.setattr(Loaded, "model_only", model_only)
    found = bench(plan, settings(arms=("alone",), calls=3), None)
    assert [called[group] for group in range(3)] == [clip.id for clip in found.record.clips]
    assert set(found.samples[found.samples.batch == 1].group) == {0, 1, 2}


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_others_at_work_are_warned_about_and_written_into_every_row(plan, played, bench, when):
    setattr(played, when, 0.4)
    said = []
    found = bench(plan, settings(arms=("alone", "both_steps")), None, say=said.append)
    assert [row.notes[0] for row in found.record.rows] == ["BUSY: others used 40% of the cores"] * 2
    assert said[-1].startswith("BUSY: others used 40% of the cores: these times are too long")


OUT_OF_MEMORY = "its process was killed by signal 9; memory may have run out"


def dying(name):
    """A machine that kills the process of one row."""
    return lambda rows, number: OUT_OF_MEMORY if number is None and rows == (name,) else None


def test_a_row_whose_process_dies_is_refused_and_the_others_are_timed(plan, played, bench):
    played.fails = dying("both_steps")
    found = bench(plan, settings(arms=("alone", "both_steps")), None)
    assert [bool(row.refused) for row in found.record.rows] == [False, True]
    assert set(found.samples.row) == {"alone"}


def test_back_ends_of_an_arm_that_eager_cannot_run_are_refused_unasked(plan, played, bench):
    played.fails = dying("both_steps")
    given = settings(arms=("alone", "both_steps"), backends={"both_steps": [{"name": "bf16"}]})
    found = bench(plan, given, None)
    assert [rows for rows, number in played.asked if number is None] == [("alone",), ("both_steps",)]
    assert found.record.rows[2].name == "both_steps · bf16"
    assert found.record.rows[2].refused == "'both_steps', which it is checked against, was refused"


def test_without_the_row_that_ratios_are_to_there_is_no_bench(plan, played, bench):
    played.fails = lambda rows, number: "its process failed: no luck"
    with pytest.raises(MeasurementFault, match="'alone', which ratios are to: its process failed"):
        bench(plan, settings(arms=("alone",)), None)


TWO = {"arms": ("alone", "both_steps"), "processes": 3}
ROWS = ("alone", "both_steps")


def interrupted(plan, played, bench, **changes):
    """A bench whose second process for all rows dies."""
    played.fails = lambda rows, number: "its process failed: no luck" if number == 1 else None
    with pytest.raises(MeasurementFault):
        bench(plan, settings(**(TWO | changes)), None)
    played.fails = lambda rows, number: None
    played.asked.clear()


def test_an_interrupted_bench_goes_on_from_what_was_measured(plan, played, bench):
    interrupted(plan, played, bench)
    said = []
    found = bench(plan, settings(**TWO), None, say=said.append)
    assert played.asked == [(ROWS, 1), (ROWS, 2)]
    assert found.record.gone_on_from == 3
    assert said[1] == "alone alone (1 of 2): measured before this bench was interrupted"
    assert set(found.samples.process) == {0, 1, 2}
    assert found.record.rows[0].cold.imports == 1.0


def test_answers_come_back_from_the_disk_as_they_were_given(plan, played, bench):
    first = bench(plan, settings(**TWO), None)
    played.asked.clear()
    again = bench(plan, settings(**TWO), None)
    assert (played.asked, again.record.gone_on_from) == ([], 5)
    assert (again.record.rows, again.record.machines) == (first.record.rows, first.record.machines)
    pd.testing.assert_frame_equal(again.samples, first.samples)


@pytest.mark.parametrize("change", [{"clips": 4}, {"seconds": 0.03}, {"calls": 3}])
def test_a_bench_of_something_else_goes_on_from_nothing(plan, played, bench, change):
    interrupted(plan, played, bench)
    assert bench(plan, settings(**(TWO | change)), None).record.gone_on_from == 0


def installed(folder, version="1.0", width=1):
    """A package with a plug-in, in a folder of packages."""
    told = folder / "mine.dist-info"
    told.mkdir(parents=True, exist_ok=True)
    (told / "METADATA").write_text(f"Name: mine\nVersion: {version}\n", encoding="utf-8")
    points = "[adviserbench.plugins]\nmine = mine.parts\n"
    (told / "entry_points.txt").write_text(points, encoding="utf-8")
    for place in ("mine/__init__.py", "mine/parts/__init__.py", "mine/parts/one/model.py"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).touch()
    (folder / "mine/parts/one/model.py").write_text(f"WIDTH = {width}\n", encoding="utf-8")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    folder = tmp_path / "packages"
    installed(folder)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    # Asked where its parts are, Python imported it.
    sys.modules.pop("mine", None)


def test_the_same_packages_go_on(plan, played, bench, packages):
    interrupted(plan, played, bench)
    installed(packages)
    assert bench(plan, settings(**TWO), None).record.gone_on_from == 3


@pytest.mark.parametrize("change", [{"width": 2}, {"version": "1.1"}])
def test_another_plugin_that_is_installed_or_library_goes_on_from_nothing(
    plan, played, bench, packages, change
):
    interrupted(plan, played, bench)
    installed(packages, **change)
    assert bench(plan, settings(**TWO), None).record.gone_on_from == 0


def test_a_file_that_went_elsewhere_in_its_package_is_other_code(plan, played, bench, packages):
    interrupted(plan, played, bench)
    (packages / "mine/parts/one").rename(packages / "mine/parts/other")
    assert bench(plan, settings(**TWO), None).record.gone_on_from == 0


def test_another_plugin_that_is_named_goes_on_from_nothing(plan, played, bench, tmp_path, monkeypatch):
    (tmp_path / "named.py").write_text("WIDTH = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    bench = partial(bench, plugins=("named",))
    interrupted(plan, played, bench)
    (tmp_path / "named.py").write_text("WIDTH = 2\n", encoding="utf-8")
    assert bench(plan, settings(**TWO), None).record.gone_on_from == 0


def test_a_row_that_was_refused_for_its_death_and_times_on_a_busy_machine_are_not_gone_on_from(
    plan, played, bench
):
    played.fails, played.meanwhile = dying("both_steps"), 0.4
    bench(plan, settings(**TWO), None)
    played.fails, played.meanwhile = (lambda rows, number: None), 0.0
    played.asked.clear()
    found = bench(plan, settings(**TWO), None)
    assert played.asked == [(("both_steps",), None), (ROWS, 0), (ROWS, 1), (ROWS, 2)]
    assert not any(row.refused or row.notes[:1] == ("BUSY",) for row in found.record.rows)


def test_what_is_damaged_on_disk_is_measured_again(plan, played, bench, tmp_path):
    interrupted(plan, played, bench)
    for file in (tmp_path / "work").iterdir():
        file.write_bytes(file.read_bytes()[:-9])
    assert bench(plan, settings(**TWO), None).record.gone_on_from == 0


def test_a_dead_process_is_told_by_its_signal_or_its_last_words():
    done = subprocess.CompletedProcess([], -9, "", "")
    assert "killed by signal 9" in cause(done)
    done = subprocess.CompletedProcess([], 1, "", "Traceback\n  somewhere\nValueError: no\n")
    assert cause(done) == "its process failed: ValueError: no"


def test_more_threads_than_cores_and_data_that_changed_are_refused(plan, bench):
    with pytest.raises(BadInput, match=r"bench.threads: expected 1 to \d+ threads"):
        bench(plan, settings(arms=("alone",), threads=10_000), None)
    stale = plan.model_copy(update={"fingerprints": dict.fromkeys(plan.fingerprints, "other")})
    with pytest.raises(BadInput, match="the data changed since the arms were trained"):
        bench(stale, settings(arms=("alone",)), None)
    with pytest.raises(BadInput, match=r"bench.clips: expected at most the \d+ test clips"):
        bench(plan, settings(arms=("alone",), clips=10_000), None)
