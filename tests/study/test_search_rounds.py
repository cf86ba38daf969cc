import math

import pytest
from optuna.trial import TrialState
from searches import bowl, failed, planner, result, run_out, search, some_fail_or_are_given_up

from harness.spec import EpochRecord
from harness.study.search.legality import checked_spaces, trial_of
from harness.study.search.rounds import ArmSearch

SAMPLERS = [
    {"name": "tpe", "startup_trials": 3},
    {"name": "random"},
    {"name": "cmaes", "population": 4},
    {"name": "nsga2", "population": 4},
]
PRUNERS = [
    {"name": "none"},
    {"name": "median", "startup_trials": 2},
    {"name": "hyperband", "reduction_factor": 2},
]

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda own: own["name"])
every_pruner = pytest.mark.parametrize("pruner", PRUNERS, ids=lambda own: own["name"])


def arm_search(arm="alone", **settings):
    study = search(**settings)
    return study, ArmSearch(study.name, arm, study.search, checked_spaces(study)[arm], "anchor")


def told(planner):
    """Everything that a planner has proposed, and what it had ended with."""
    return [trial.model_dump() for trial in planner.plan.searches]


def told_of(trial):
    """A trial without the moment in which it was made."""
    return trial.state, trial.values, trial.params, trial.intermediate_values, trial.system_attrs


def searched(study, own, history=(), until=99):
    """The trials of a search that ended as chance has it, from a history on."""
    history = list(history)
    while (proposals := own.proposed(history)) and len(history) < until:
        begun = tuple(history)
        for proposal in proposals:
            spec = trial_of(study, own.space, proposal.params)
            done = some_fail_or_are_given_up(spec, f"#{proposal.number}")
            history.append(own.ended(proposal, done, begun))
    return history


@every_sampler
@every_pruner
def test_a_search_taken_up_after_any_round_is_the_same(sampler, pruner):
    study, own = arm_search(trials=10, at_once=3, sampler=sampler, pruner=pruner)
    first = searched(study, own)
    assert {trial.state for trial in first} == {TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED}
    # Before anything, within a round, between rounds, within the last but one.
    for count in (0, 2, 6, 7):
        again = searched(study, own, first[:count])
        assert list(map(told_of, again)) == list(map(told_of, first))


@pytest.mark.parametrize("keeps_the_journal", [True, False])
def test_a_search_interrupted_at_any_trial_is_the_same(keeps_the_journal, tmp_path):
    study = search(trials=8, pruner=PRUNERS[1])
    first = planner(study, tmp_path / "first")
    store = run_out(first, some_fail_or_are_given_up)
    for count in (1, 10):
        known = {trial.trial_id for trial in first.plan.searches[:count]}
        folder = tmp_path / f"journal {count}"
        killed = planner(study, folder)
        killed.advance(lambda trial, known=known: store.get(trial) if trial in known else None)
        again = planner(study, folder if keeps_the_journal else tmp_path / f"other {count}")
        run_out(again, store=store)
        assert again.plan == first.plan


def test_proposals_do_not_depend_on_who_finishes_first(tmp_path):
    study = search(trials=8)
    forwards, backwards = planner(study, tmp_path / "one"), planner(study, tmp_path / "two")
    run_out(forwards)
    while backwards.plan.is_open:
        known = {}
        for trial, spec in reversed(backwards.plan.trials.items()):
            known[trial] = result(spec, trial)
            backwards.advance(known.get)
    assert told(backwards) == told(forwards)


@every_sampler
def test_a_larger_budget_goes_on_where_the_smaller_one_ended(sampler, tmp_path):
    small, large = (search(trials=trials, at_once=4, sampler=sampler) for trials in (6, 12))
    store = run_out(planner(small, tmp_path / "journal"))
    extended, at_first = planner(large, tmp_path / "journal"), planner(large, tmp_path / "other")
    assert [trial.number for trial in extended.plan.searches if trial.arm == "alone"] == list(range(8))
    run_out(extended, store=store)
    run_out(at_first)
    assert told(extended) == told(at_first)


def test_the_first_trial_has_the_values_of_the_file(tmp_path):
    for trial in planner(search(), tmp_path).plan.searches:
        if trial.number == 0:
            assert trial.params == {
                "student.model.width": 16,
                "student.model.layers": 1,
                "student.model.dropout": 0.1,
                "student.optimisation.learning_rate": 1e-3,
            }


def test_a_value_of_the_file_that_is_outside_of_the_space_is_not_tried(tmp_path):
    space = {
        "student.model.width": {"type": "choice", "choices": [32, 64]},
        "student.model.dropout": {"type": "float", "low": 0.0, "high": 0.5},
    }
    first = planner(search(space=space), tmp_path).plan.searches[0]
    assert first.params["student.model.width"] in {32, 64}
    assert first.params["student.model.dropout"] == 0.1


def test_equal_proposals_are_one_trial_and_count_each(tmp_path):
    width = {"student.model.width": {"type": "choice", "choices": [8, 16]}}
    tuned = planner(search(space=width), tmp_path)
    store = run_out(tuned)
    assert len(tuned.plan.searches) == 2 * 12
    assert len({trial.trial_id for trial in tuned.plan.searches}) == 2 * 2
    assert all(len(arm.history) == 12 for arm in tuned._arms)
    assert set(store.states(trial.trial_id for trial in tuned.plan.searches).values()) == {"complete"}


def test_random_proposals_owe_nothing_to_results_and_estimated_ones_do(tmp_path):
    for sampler, owe in ((SAMPLERS[1], False), (SAMPLERS[0], True)):
        study, name = search(trials=8, sampler=sampler), sampler["name"]
        one, other = planner(study, tmp_path / f"{name} 1"), planner(study, tmp_path / f"{name} 2")
        run_out(one)
        run_out(other, lambda spec, trial: result(spec, trial, lambda spec: -bowl(spec)))
        assert (told(one) != told(other)) == owe


def test_arms_draw_from_streams_of_their_own(tmp_path):
    found = planner(search(sampler={"name": "random"}), tmp_path).plan.searches
    assert found[1].params != found[5].params


def sphere(sampler, trials=48):
    """The best of so many trials where the error is the distance to a point off the middle."""
    space = {
        "student.model.dropout": {"type": "float", "low": 0.0, "high": 0.5},
        "student.model.encoder_rate": {"type": "float", "low": 0.05, "high": 1.0},
    }
    study, own = arm_search(space=space, trials=trials, sampler=sampler)
    history, best = [], math.inf
    base = checked_spaces(study)["alone"].spec
    while proposals := own.proposed(history):
        ended = []
        for proposal in proposals:
            x = proposal.params["student.model.dropout"] / 0.5
            y = proposal.params["student.model.encoder_rate"]
            value = (x - 0.31) ** 2 + (y - 0.77) ** 2
            best = min(best, value)
            done = result(base, "trial", metrics={"val/mae": value})
            ended.append(own.ended(proposal, done, history))
        history += ended
    return best, history


def test_samplers_that_learn_keep_what_they_learned_from_round_to_round():
    by_chance, _ = sphere({"name": "random"})
    evolved, history = sphere({"name": "cmaes", "population": 4})
    estimated, _ = sphere({"name": "tpe"})
    generations = [trial.system_attrs.get("cma:generation") for trial in history]
    assert generations[-1] >= 8
    assert max(evolved, estimated) < by_chance


def test_generations_of_the_genetic_algorithm_follow_each_other():
    _, history = sphere({"name": "nsga2", "population": 8}, trials=32)
    generations = [
        next(value for name, value in trial.system_attrs.items() if name.endswith("generation"))
        for trial in history
    ]
    assert generations == [number // 8 for number in range(32)]


def test_a_failure_and_a_number_that_is_none_are_failed_trials_without_values():
    study, own = arm_search()
    proposal = own.proposed(())[0]
    spec = checked_spaces(study)["alone"].spec
    nan = result(spec, "trial", metrics={"val/mae": math.nan})
    missing = result(spec, "trial", metrics={})
    for bad in (failed(spec, "trial"), nan, missing):
        ended = own.ended(proposal, bad, ())
        assert (ended.state, ended.values) == (TrialState.FAIL, None)


def test_a_trial_that_was_given_up_keeps_its_value_after_every_epoch():
    study, own = arm_search()
    spec = checked_spaces(study)["alone"].spec
    epochs = tuple(
        EpochRecord(epoch=e, metrics={"val/mae": 2.0 - e, "train/task_l1": 1}) for e in (0, 1)
    )
    given_up = result(spec, "trial", state="pruned", metrics={}, epochs=epochs)
    ended = own.ended(own.proposed(())[0], given_up, ())
    assert ended.state == TrialState.PRUNED
    assert ended.intermediate_values == {1: 2.0, 2: 1.0}


def test_what_is_sought_is_what_identifies_a_search():
    _, own = arm_search()
    assert own.identity == arm_search(trials=99, storage="sqlite:///x")[1].identity
    assert own.identity != arm_search(at_once=2)[1].identity
    assert own.identity != arm_search(sampler={"name": "random"})[1].identity
    narrower = {"student.model.dropout": {"type": "float", "low": 0, "high": 0.2}}
    assert own.identity != arm_search(space=narrower)[1].identity
