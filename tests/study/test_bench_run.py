"""A bench as a whole, its processes played by this one: the record, and what befalls a process."""

import subprocess
from dataclasses import replace

import pytest
import torch
from benches import settings, toy_study, untrained

from harness.engine.bench.alone import alone
from harness.engine.bench.loaded import Loaded
from harness.engine.bench.together import together
from harness.spec import BadInput
from harness.study.bench import run as running
from harness.study.bench.run import MeasurementFault, bench


@pytest.fixture(scope="module")
def plan():
    return untrained(toy_study())


@pytest.fixture(autouse=True)
def played(monkeypatch):
    """Answers processes in this one, on a machine whose other load can be said."""
    load = {"share": 0.0}

    def answer(self, order, *, is_alone):
        if is_alone:
            return alone(order, imports=1.0)
        found = together(order)
        machine = found.machine.model_copy(update={"others_share": load["share"]})
        return replace(found, machine=machine)

    monkeypatch.setattr(running._Processes, "answer", answer)
    before = torch.get_num_threads()
    yield load
    torch.set_num_threads(before)


def test_the_record_has_every_row_and_the_samples_of_every_process(plan):
    said = []
    given = settings(arms=("alone", "both_steps"), processes=2)
    found = bench(plan, given, None, say=said.append)
    assert [row.name for row in found.record.rows] == ["alone", "both_steps"]
    assert (found.record.reference, found.record.primary) == ("alone", "test/mae")
    assert len(found.record.machines) == 2
    assert set(found.samples.process) == {0, 1}
    assert said[-1] == "all rows side by side, process 2 of 2"
    assert all(row.notes[0] != "BUSY" for row in found.record.rows)


def test_the_group_of_a_sample_at_batch_1_is_the_place_of_its_clip_in_the_record(plan, monkeypatch):
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


def test_others_at_work_are_warned_about_and_written_into_every_row(plan, played):
    played["share"] = 0.4
    said = []
    found = bench(plan, settings(arms=("alone", "both_steps")), None, say=said.append)
    assert [row.notes[0] for row in found.record.rows] == ["BUSY: others used 40% of the cores"] * 2
    assert said[-1].startswith("BUSY: others used 40% of the cores: these times are too long")


def test_a_row_whose_process_dies_is_refused_and_the_others_are_timed(plan, monkeypatch):
    inner = running._Processes.answer

    def answer(self, order, *, is_alone):
        if is_alone and order.entrants[0].name == "both_steps":
            raise MeasurementFault("its process was killed by signal 9; memory may have run out")
        return inner(self, order, is_alone=is_alone)

    monkeypatch.setattr(running._Processes, "answer", answer)
    found = bench(plan, settings(arms=("alone", "both_steps")), None)
    assert [bool(row.refused) for row in found.record.rows] == [False, True]
    assert set(found.samples.row) == {"alone"}


def test_back_ends_of_an_arm_that_eager_cannot_run_are_refused_unasked(plan, monkeypatch):
    inner, asked = running._Processes.answer, []

    def answer(self, order, *, is_alone):
        asked.extend(row.name for row in order.entrants if is_alone)
        if is_alone and order.entrants[0].name == "both_steps":
            raise MeasurementFault("its process was killed by signal 9; memory may have run out")
        return inner(self, order, is_alone=is_alone)

    monkeypatch.setattr(running._Processes, "answer", answer)
    given = settings(arms=("alone", "both_steps"), backends={"both_steps": [{"name": "bf16"}]})
    found = bench(plan, given, None)
    assert asked == ["alone", "both_steps"]
    assert found.record.rows[2].name == "both_steps · bf16"
    assert found.record.rows[2].refused == "'both_steps', which it is checked against, was refused"


def test_without_the_row_that_ratios_are_to_there_is_no_bench(plan, monkeypatch):
    def answer(self, order, *, is_alone):
        raise MeasurementFault("its process failed: no luck")

    monkeypatch.setattr(running._Processes, "answer", answer)
    with pytest.raises(MeasurementFault, match="'alone', which ratios are to: its process failed"):
        bench(plan, settings(arms=("alone",)), None)


def test_a_dead_process_is_told_by_its_signal_or_its_last_words():
    done = subprocess.CompletedProcess([], -9, "", "")
    assert "killed by signal 9" in running._cause(done)
    done = subprocess.CompletedProcess([], 1, "", "Traceback\n  somewhere\nValueError: no\n")
    assert running._cause(done) == "its process failed: ValueError: no"


def test_more_threads_than_cores_and_data_that_changed_are_refused(plan):
    with pytest.raises(BadInput, match=r"bench.threads: expected 1 to \d+ threads"):
        bench(plan, settings(arms=("alone",), threads=10_000), None)
    stale = plan.model_copy(update={"fingerprints": dict.fromkeys(plan.fingerprints, "other")})
    with pytest.raises(BadInput, match="the data changed since the arms were trained"):
        bench(stale, settings(arms=("alone",)), None)
    with pytest.raises(BadInput, match=r"bench.clips: expected at most the \d+ test clips"):
        bench(plan, settings(arms=("alone",), clips=10_000), None)
