"""The shipped quickstart of retrieval, run as the README says, and what its table must show."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from harness.store import open_store
from reports import write_report
from reports.chance import chance_ap
from reports.claims import all_complete, better_than_reference

pytestmark = pytest.mark.quickstart

STUDY = Path(__file__).parents[2] / "ablations" / "retrieval_quickstart.yaml"
TWINS = {
    "eics": ("eics_step2", "eics_step1_step2"),
    "dscmr": ("dscmr_step1_step2",),
    "two_tower": ("two_tower_step1_step2",),
}
UNSUPERVISED = ("cca", "kcca", "dcca")
SUPERVISED = (
    "cluster_cca",
    "c_dcca",
    "tnn_c_cca",
    "vae_cca",
    "acmr",
    "cctl",
    "eics",
    "dscmr",
    "two_tower",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("retrieval")


@pytest.fixture(scope="module")
def seconds(folder):
    command = [sys.executable, "-m", "harness", "run", str(STUDY)]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - begin


@pytest.fixture(scope="module")
def table(seconds, folder):
    return write_report(open_store(folder / "runs"), "retrieval_quickstart", folder / "report").table


def found(table, arm, metric="map"):
    return table.cell(arm, metric).summary


def test_it_ends_within_five_minutes(seconds):
    assert seconds < 300


def test_every_arm_is_complete_under_three_seeds_both_ways(table):
    claim = all_complete(table)
    assert claim.holds, claim.evidence
    for row in table.rows:
        for metric in ("map_a2v", "map_v2a", "map"):
            assert found(table, row.arm, metric).n == (3 if row.arm != "teacher" else 0)


def test_what_knows_nothing_is_at_the_level_of_chance(table):
    # 400 test clips, 40 of each class; sd of single clips' AP over random rankings about 0.02.
    assert found(table, "random").mean == pytest.approx(chance_ap(40, 400), abs=0.005)


@pytest.mark.parametrize("arm", [*UNSUPERVISED, *SUPERVISED])
def test_every_method_that_learns_is_above_chance(table, arm):
    assert min(found(table, arm, way).mean for way in ("map_a2v", "map_v2a")) > 1.5 * chance_ap(40, 400)


def test_labels_help_what_is_otherwise_the_same(table):
    # Linear methods have next to nothing from them: no line tells these shapes apart.
    assert found(table, "c_dcca").mean > found(table, "dcca").mean + 0.1


def test_the_best_with_labels_is_above_the_best_without_and_so_is_their_mean(table):
    with_labels = [found(table, arm).mean for arm in SUPERVISED]
    without = [found(table, arm).mean for arm in UNSUPERVISED]
    assert max(with_labels) > max(without) + 0.1
    assert sum(with_labels) / len(with_labels) > sum(without) / len(without) + 0.1


@pytest.mark.parametrize("arm", [taught for twins in TWINS.values() for taught in twins])
def test_a_taught_student_is_above_its_plain_twin(table, arm):
    claim = better_than_reference(table, arm)
    assert claim.holds, claim.evidence


@pytest.mark.parametrize(
    ("control", "share"), [("shuffled_teacher", 0.25), ("label_echo_teacher", 0.75)]
)
def test_what_stands_in_for_the_teacher_gains_a_part_of_it_only(table, control, share):
    # Not nothing: that a clip's own pictures match its sound is said whoever advises, and labels that
    # are said again as match scores are learnt better than as classes.
    plain, taught, other = (found(table, arm).mean for arm in ("eics", "eics_step1_step2", control))
    assert other - plain < share * (taught - plain)


def test_twins_take_as_long_as_each_other_by_the_calls_of_each_alone(table, folder):
    # A noisy machine: a teacher that ran along would more than double the time.
    store = open_store(folder / "runs")
    calls = {row.arm: [] for row in table.rows}
    for member in store.plan("retrieval_quickstart").members:
        calls[member.arm] += store.get(member.trial_id).efficiency.latency.samples_ms
    for plain, taught in TWINS.items():
        for arm in taught:
            assert 0.5 < median(calls[arm]) / median(calls[plain]) < 2


@pytest.mark.parametrize("metric", ["parameters", "flops", "latency_ms"])
def test_advice_costs_nothing_in_use_to_the_last_digit(table, metric):
    for plain, taught in TWINS.items():
        for arm in taught:
            assert found(table, arm, metric) == found(table, plain, metric)
