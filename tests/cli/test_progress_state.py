"""What is counted of a running study, from nothing but what its runner tells."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standing import ablation_plan, record, search_plan

from harness.cli.progress import words
from harness.cli.progress.state import StudyState
from harness.cli.run import failures
from harness.spec import Member
from harness.store.claims import Claim, MemoryClaims
from harness.study.launch.base import Began, Ended, Epoch, Lost, Stuck


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(clock):
    """Six trials: two of the arm alone, two of advised, and their teachers."""
    state = StudyState(clock)
    state.planned(ablation_plan(), {}, workers=1)
    return state


def ran(study, clock, trial, seconds, **more):
    study.event(Began(trial, "w"))
    clock.now += seconds
    study.event(Ended(trial, "w"))
    study.finished(record(trial, **more))


def claimed(*trials, is_running=True):
    owner = MemoryClaims().owner
    return {
        trial: Claim(name=trial, owner=owner, taken=0, expires=1, is_running=is_running)
        for trial in trials
    }


def test_a_trial_waits_runs_and_ends(state):
    assert (state.total, state.done, state.count("waiting")) == (6, 0, 6)
    state.event(Began("alone-0", "w"))
    assert (state.done, state.count("running"), state.count("waiting")) == (0, 1, 5)
    state.event(Ended("alone-0", "w"))
    state.finished(record("alone-0"))
    assert (state.done, state.count("complete"), state.count("running")) == (1, 1, 0)


def test_what_the_store_has_counts_from_the_start(clock):
    state = StudyState(clock)
    state.planned(ablation_plan(), {"alone-0": "complete", "alone-1": "failed"}, 1)
    assert (state.already, state.done, state.count("failed")) == (1, 2, 1)


def test_a_failed_trial_that_begins_again_has_not_failed(clock):
    state = StudyState(clock)
    state.planned(ablation_plan(), {"alone-1": "failed"}, 1)
    state.event(Began("alone-1", "w"))
    assert (state.count("failed"), state.count("running")) == (0, 1)


@pytest.mark.parametrize("end", [Lost, Stuck])
def test_a_trial_whose_worker_died_waits_again(state, end):
    state.event(Began("alone-0", "w"))
    state.event(end("alone-0", "w", "killed"))
    assert (state.count("waiting"), state.running) == (6, {})


def test_an_epoch_says_where_the_trial_is(state):
    state.event(Began("alone-0", "w"))
    state.event(Epoch("alone-0", "w", 3, {"val/mae": 0.7, "train/task_l1": 0.1}))
    assert (state.running["alone-0"].epoch, state.running["alone-0"].value) == (3, 0.7)


def test_trials_are_called_after_arm_seed_and_whom_they_advise(state):
    assert state.label("alone-1") == "alone seed 1"
    assert state.label("teacher-0") == "teacher of advised seed 0"
    searching = StudyState()
    searching.planned(search_plan(), {}, 1)
    assert searching.label("search-2") == "tuned #2"


def test_a_trial_of_another_study_is_not_counted(state):
    state.event(Began("stray", "w"))
    state.finished(record("stray"))
    assert (state.total, state.done, state.running) == (6, 0, {})


def test_others_trials_are_theirs_until_they_end_or_are_given_up(state):
    state.elsewhere(claimed("alone-0", "alone-1"), {})
    assert (state.count("elsewhere"), state.count("waiting")) == (2, 4)
    state.elsewhere(claimed("alone-1"), {"alone-0": "complete"})
    assert (state.count("elsewhere"), state.done) == (1, 1)
    state.elsewhere({}, {"alone-0": "complete"})
    assert (state.count("elsewhere"), state.count("waiting")) == (0, 5)


def test_a_failure_that_others_run_again_is_not_an_end(state):
    state.elsewhere(claimed("alone-0"), {"alone-0": "failed"})
    assert (state.count("elsewhere"), state.count("failed")) == (1, 0)


def test_the_best_is_the_lowest_error_of_an_arm_not_of_a_teacher(state, clock):
    ran(state, clock, "teacher-0", 1, mae=0.1)
    assert state.bests() == ()
    for trial, mae in (("alone-0", 0.6), ("alone-1", 0.4), ("advised-0", 0.5)):
        ran(state, clock, trial, 1, mae=mae)
    (best,) = state.bests()
    assert (best.label, best.values) == ("alone seed 1", (0.4,))


def test_a_number_that_is_none_is_never_the_best(state, clock):
    ran(state, clock, "alone-0", 1, mae=math.nan)
    assert state.bests() == ()


def test_the_best_of_a_search_has_its_number_and_the_first_of_equals_counts(clock):
    state = StudyState(clock)
    state.planned(search_plan(), {}, 1)
    for number, mae in ((3, 0.4), (1, 0.4), (0, 0.6)):
        ran(state, clock, f"search-{number}", 1, mae=mae)
    assert [best.label for best in state.bests()] == ["tuned #1"]


def test_several_objectives_have_a_front(clock):
    state = StudyState(clock)
    state.planned(search_plan(objective=("val/mae", "parameters")), {}, 1)
    for number, (mae, size) in enumerate([(0.4, 900), (0.5, 100), (0.5, 200), (0.6, 100)]):
        ran(state, clock, f"search-{number}", 1, mae=mae, parameters=size)
    (best,) = state.bests()
    assert (best.label, best.front) == ("tuned", 2)


def test_nothing_is_guessed_of_the_time_before_a_trial_ended(state, clock):
    assert state.remaining_seconds() is None
    ran(state, clock, "alone-0", 5, state="failed")
    assert state.remaining_seconds() is None


def test_the_rest_takes_as_long_as_its_like_did(state, clock):
    ran(state, clock, "teacher-0", 10)
    assert state.remaining_seconds() == pytest.approx(10 * 5)
    ran(state, clock, "alone-0", 4)
    # A teacher like the first, a twin of alone, and two advised that are students like it.
    assert state.remaining_seconds() == pytest.approx(10 + 3 * 4)
    state.event(Began("alone-1", "w"))
    clock.now += 3
    assert state.remaining_seconds() == pytest.approx(10 + 2 * 4 + 1)


def test_more_workers_need_less_time_but_never_less_than_one_trial(clock):
    def after(workers):
        state = StudyState(clock)
        state.planned(ablation_plan(), {}, workers)
        ran(state, clock, "alone-0", 10)
        return state.remaining_seconds()

    assert (after(1), after(2), after(100)) == (50, 25, 10)


def test_runners_elsewhere_share_the_work(state, clock):
    ran(state, clock, "alone-0", 10)
    state.elsewhere(claimed("alone-1"), {})
    assert state.remaining_seconds() == pytest.approx(25)


def test_a_plan_that_grows_keeps_what_has_ended(clock):
    state = StudyState(clock)
    state.planned(search_plan(2, is_open=True), {}, 1)
    ran(state, clock, "search-0", 1)
    state.planned(search_plan(6, is_open=False), {"search-0": "complete"}, 1)
    assert (state.total, state.done, state.already, state.is_open) == (6, 1, 0, False)
    chosen = Member(arm="tuned", seed=0, trial_id="search-0")
    plan = search_plan(6).model_copy(update={"members": (chosen,)})
    state.planned(plan, {}, 1)
    assert state.label("search-0") == "tuned seed 0"


TOLD = st.lists(
    st.tuples(
        st.sampled_from(["began", "ended", "lost", "failed", "theirs", "free"]),
        st.sampled_from(list(ablation_plan().trials)),
    ),
    max_size=15,
)


@given(TOLD)
def test_whatever_is_told_every_trial_is_in_exactly_one_state(told):
    state = StudyState(lambda: 0.0)
    state.planned(ablation_plan(), {}, 1)
    for what, trial in told:
        if what == "began":
            state.event(Began(trial, "w"))
        elif what == "lost":
            state.event(Lost(trial, "w", ""))
        elif what in {"ended", "failed"}:
            state.event(Ended(trial, "w"))
            state.finished(record(trial, state="failed" if what == "failed" else "complete"))
        else:
            state.elsewhere(claimed(trial) if what == "theirs" else {}, {})
    counts = [
        state.count(kind) for kind in ("waiting", "running", "elsewhere", "complete", "failed", "pruned")
    ]
    assert min(counts) >= 0
    assert sum(counts) == state.total == 6
    assert state.count("running") == len(state.running)


@pytest.fixture
def retrieving(clock):
    """A study of the task whose numbers are better when they are higher."""
    plan = ablation_plan()
    trials = {name: one.model_copy(update={"protocol": "full"}) for name, one in plan.trials.items()}
    state = StudyState(clock)
    state.planned(plan.model_copy(update={"trials": trials}), {}, 1)
    return state


def retrieved(trial_id, **metrics):
    found = record(trial_id)
    judged = found.spec.model_copy(update={"protocol": "full"})
    named = {f"val/{name}": value for name, value in metrics.items()}
    return found.model_copy(update={"spec": judged, "metrics": named})


def test_where_precision_counts_the_best_is_the_highest(retrieving):
    retrieving.finished(retrieved("teacher-0", match_map=0.9))
    for trial, value in (("alone-0", 0.4), ("alone-1", 0.6), ("advised-0", 0.5)):
        retrieving.finished(retrieved(trial, map=value))
    (best,) = retrieving.bests()
    assert (best.label, best.objectives, best.values) == ("alone seed 1", ("val/map",), (0.6,))


def test_epochs_of_a_teacher_are_shown_by_what_selects_them(retrieving):
    shown = []
    for trial, metrics in (("teacher-0", {"val/match_map": 0.9}), ("alone-0", {"val/map": 0.4})):
        retrieving.event(Began(trial, "w"))
        retrieving.event(Epoch(trial, "w", 0, {**metrics, "val/accuracy": 0.1}))
        shown.append(words.at(retrieving.running[trial]))
    assert shown == ["epoch 0, val match mAP 0.900", "epoch 0, val mAP 0.400"]


def test_the_line_of_a_trial_that_ended_names_the_metric_of_its_task(retrieving):
    assert words.outcome("alone", retrieved("alone-0", map=0.4)).endswith("val mAP 0.400")
    assert words.outcome("alone", record("alone-0", mae=0.5)).endswith("val MAE 0.500")


def test_one_cause_is_one_line_with_every_trial_that_it_ended():
    plan = ablation_plan()
    failed = [record(trial, state="failed") for trial in ("alone-0", "advised-1")]
    assert failures(plan, [*failed, record("alone-1")]) == [
        "failed: alone seed 0, advised seed 1: the loss became nan"
    ]
