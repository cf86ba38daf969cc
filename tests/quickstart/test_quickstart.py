"""The shipped quickstart, run as the README says, and what its table must show."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from harness.store import open_store
from reports import write_report
from reports.claims import all_complete, better_than_reference, worst

pytestmark = pytest.mark.quickstart

STUDY = Path(__file__).parents[2] / "ablations" / "quickstart.yaml"
STUDENTS = ("no_distillation", "step2_only", "step1_step2", "shuffled_teacher")
ARMS = ("teacher", *STUDENTS, "text_only", "late_fusion", "tfn")


def start(folder, *words):
    command = [sys.executable, "-m", "harness", "run", str(STUDY), *words]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(folder, *words):
    """Seconds, table and log of a run that must end well."""
    begin = time.perf_counter()
    process = start(folder, *words)
    table, log = process.communicate()
    assert process.returncode == 0, log
    return time.perf_counter() - begin, table, log


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quickstart")


@pytest.fixture(scope="module")
def first(folder):
    return run(folder)


@pytest.fixture(scope="module")
def table(first, folder):
    return write_report(open_store(folder / "runs"), "quickstart", folder / "report").table


def test_it_ends_within_five_minutes(first):
    assert first[0] < 300


def test_its_table_has_every_arm_under_three_seeds(table):
    assert tuple(row.arm for row in table.rows) == ARMS
    assert {row.planned for row in table.rows} == {3}
    claim = all_complete(table)
    assert claim.holds, claim.evidence


def test_the_full_method_beats_the_student_alone(table):
    claim = better_than_reference(table, "step1_step2")
    assert claim.holds, claim.evidence


def test_a_shuffled_teacher_makes_the_worst_student(table):
    claim = worst(table, "shuffled_teacher", STUDENTS)
    assert claim.holds, claim.evidence


def test_running_it_again_trains_nothing_and_is_quick(first, folder):
    seconds, table, log = run(folder)
    assert "27 trials, 27 already complete" in log
    assert table == first[1]
    assert seconds < 15


def test_killed_three_times_it_ends_with_the_same_quality(first, folder):
    shutil.rmtree(folder / "killed", ignore_errors=True)
    arms = ("seeds=[0]", "--out", "killed")
    for trials in (1, 3, 6):
        kill_in_training(start(folder, *arms), folder / "killed" / "work", trials)
    run(folder, *arms)
    whole, survived = (quality(folder / name) for name in ("runs", "killed"))
    pd.testing.assert_frame_equal(whole, survived, check_exact=True)


def kill_in_training(process, work, trials):
    """SIGKILL at the first checkpoint of the trial that comes after `trials` others begun here."""
    begun = set()
    while process.poll() is None and len(begun) < trials:
        begun |= {path.parent.name for path in work.glob("*/resume.pt")}
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def quality(out):
    """Every metric and prediction of the trials of seed 0, measured times left out."""
    store = open_store(out)
    plan = store.plan("quickstart")
    rows = {}
    for member in plan.members:
        if member.seed == 0:
            scores = store.predictions(member.trial_id)["score"].to_list()
            rows[member.arm] = {**store.get(member.trial_id).metrics, "scores": scores}
    return pd.DataFrame.from_dict(rows, orient="index")
