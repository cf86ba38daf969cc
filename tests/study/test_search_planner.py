import pytest
from searches import bowl, failed, planner, result, run_out, search

from harness.spec import BadInput
from harness.study.search.agreement import disagreements

WIDTH = {"student.model.width": {"type": "choice", "choices": [8, 16, 32, 64]}}


def test_every_arm_has_the_same_budget_its_own_choice_and_fresh_seeds(tmp_path):
    tuned = planner(search(), tmp_path)
    store = run_out(tuned)
    plan = tuned.plan
    assert not plan.is_open
    for arm in ("alone", "both_steps"):
        mine = [trial for trial in plan.searches if trial.arm == arm]
        assert [trial.number for trial in mine] == list(range(12))
        best = min(mine, key=lambda trial: store.get(trial.trial_id).metrics["val/mae"])
        assert plan.chosen[arm] == best
        members = [member for member in plan.members if member.arm == arm]
        assert [member.seed for member in members] == [0, 1]
        for member in members:
            spec = plan.trials[member.trial_id]
            assert spec.seed == member.seed
            assert spec.model.params["width"] == best.params["student.model.width"]
            assert spec.optimisation.learning_rate == best.params["student.optimisation.learning_rate"]


def test_no_trial_of_a_search_sees_test_and_every_choice_does(tmp_path):
    tuned = planner(search(), tmp_path)
    run_out(tuned)
    plan = tuned.plan
    reported = {member.trial_id for member in plan.members}
    reported |= {teacher for one in reported for teacher in plan.teachers.get(one, ())}
    for trial, spec in plan.trials.items():
        assert spec.splits == (("val", "test") if trial in reported else ("val",))
        assert (spec.seed == 1000) == (trial not in reported)


def test_teachers_of_searched_students_are_in_the_plan_before_them(tmp_path):
    plan = planner(search(), tmp_path).plan
    order = list(plan.trials)
    advised = [trial.trial_id for trial in plan.searches if trial.arm == "both_steps"]
    for trial in advised:
        (teacher,) = plan.teachers[trial]
        assert order.index(teacher) < order.index(trial)
    assert plan.members == ()
    assert plan.is_open


def test_each_arm_goes_on_when_its_own_round_is_over(tmp_path):
    tuned = planner(search(), tmp_path)
    first = {trial.trial_id: trial.arm for trial in tuned.plan.searches}

    def of_one_arm(trial):
        return result(tuned.plan.trials[trial], trial) if first.get(trial) == "both_steps" else None

    assert tuned.advance(of_one_arm)
    assert sum(trial.arm == "both_steps" for trial in tuned.plan.searches) == 8
    assert sum(trial.arm == "alone" for trial in tuned.plan.searches) == 4
    assert not tuned.advance(of_one_arm)


def test_ties_go_to_the_earlier_trial(tmp_path):
    tuned = planner(search(), tmp_path)
    run_out(tuned, lambda spec, trial: result(spec, trial, lambda _: 1.0))
    assert {trial.number for trial in tuned.plan.chosen.values()} == {0}


def test_an_arm_of_failures_chooses_nothing_and_says_so(tmp_path):
    tuned = planner(search(), tmp_path)

    def advised_ones_fail(spec, trial):
        return failed(spec, trial) if spec.teacher else result(spec, trial)

    run_out(tuned, advised_ones_fail)
    assert not tuned.plan.is_open
    assert set(tuned.plan.chosen) == {"alone"}
    assert {member.arm for member in tuned.plan.members} == {"alone"}
    (line,) = tuned.said
    assert "both_steps chose nothing: of its 12 trials 12 failed and 0 were given up" in line


def test_values_that_make_no_trial_together_are_a_failure_that_never_runs(tmp_path):
    space = {
        "student.model.width": {"type": "choice", "choices": [16, 18]},
        "student.model.heads": {"type": "choice", "choices": [2, 4]},
    }
    tuned = planner(search(space=space, sampler={"name": "random"}), tmp_path)
    run_out(tuned)
    ended = [trial for arm in tuned._arms for trial in arm.history if trial.user_attrs.get("reason", "")]
    assert ended
    assert {tuple(trial.params.values()) for trial in ended} == {(4, 18)}
    assert all("18 is not a multiple of heads 4" in trial.user_attrs["reason"] for trial in ended)
    assert len(tuned.plan.searches) + len(ended) == 2 * 12
    again = planner(search(space=space, sampler={"name": "random"}), tmp_path)
    assert again.plan == tuned.plan


@pytest.mark.parametrize("finalists", [None, 2])
def test_of_several_objectives_an_arm_is_the_points_of_its_front(finalists, tmp_path):
    study = search(
        space=WIDTH,
        objective=["val/mae", "parameters"],
        sampler={"name": "nsga2", "population": 4},
        finalists=finalists,
    )
    tuned = planner(study, tmp_path)
    # The wider the better, and the dearer: every width is a point of the front.
    store = run_out(
        tuned,
        lambda spec, trial: result(spec, trial, lambda spec: 9 - spec.model.params.get("width", 1) / 8),
    )
    tried = {trial.params["student.model.width"] for trial in tuned.plan.searches}
    chosen = [one for name, one in tuned.plan.chosen.items() if name.startswith("alone #")]
    widths = {one.params["student.model.width"] for one in chosen}
    assert widths == (tried if finalists is None else {min(tried), max(tried)})
    for name, one in tuned.plan.chosen.items():
        assert name == f"{one.arm} #{one.number}"
        assert [member.seed for member in tuned.plan.members if member.arm == name] == [0, 1]
    assert disagreements(tuned.plan, store, tuned._history) == ()


def test_a_trial_is_given_up_by_earlier_rounds_only_and_a_teacher_never(tmp_path):
    tuned = planner(search(pruner={"name": "median"}), tmp_path)
    first = tuned.plan.searches[1].trial_id
    (teacher,) = tuned.plan.teachers[tuned.plan.searches[4].trial_id]
    results = {trial: result(spec, trial) for trial, spec in tuned.plan.trials.items()}
    tuned.advance(results.get)
    assert tuned.pruning(first).number == 1
    assert tuned.pruning(first).earlier == ()
    assert len(tuned.pruning(tuned.plan.searches[5].trial_id).earlier) == 4
    assert tuned.pruning(teacher) is None
    assert tuned.pruning("no trial of the study") is None


def test_a_fault_of_the_space_is_found_before_anything_is_written(tmp_path):
    with pytest.raises(BadInput, match=r"search\.space"):
        planner(search(space={"student.model.width": {"type": "choice", "choices": [7]}}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_optuna_and_the_store_disagree_where_a_result_was_changed(tmp_path):
    tuned = planner(search(), tmp_path)
    store = run_out(tuned)
    plan = tuned.plan
    assert disagreements(plan, store, tuned._history) == ()
    better, worse, lost = (trial.trial_id for trial in plan.searches[1:4])
    for trial, changed in (
        (better, result(plan.trials[better], better, lambda spec: bowl(spec) - 1)),
        (worse, failed(plan.trials[worse], worse)),
    ):
        store.begin("toy", trial, plan.trials[trial])
        store.finish(changed, None, {})
    store.forget([lost])
    told = disagreements(plan, store, tuned._history)
    assert [line.partition(":")[0] for line in told] == [
        f"alone #{number} ({trial})" for number, trial in enumerate((better, worse, lost), start=1)
    ]
    assert "complete with" in told[0]
    assert told[1].endswith("the result store failed")
    assert "does not have it" in told[2]


def test_what_was_recorded_is_what_later_trials_were_proposed_from(tmp_path):
    tuned = planner(search(), tmp_path)
    store = run_out(tuned)
    trial = tuned.plan.searches[1].trial_id
    store.begin("toy", trial, tuned.plan.trials[trial])
    store.finish(failed(tuned.plan.trials[trial], trial), None, {})
    assert planner(search(), tmp_path).plan == tuned.plan
