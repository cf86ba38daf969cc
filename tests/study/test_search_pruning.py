import pickle
import random
from statistics import median

import optuna
import pytest
from optuna.trial import TrialState
from searches import result, search

from harness.spec import EpochRecord
from harness.study.search.legality import checked_spaces
from harness.study.search.rounds import ArmSearch

MAX_EPOCHS = 12


def arm_search(**settings):
    study = search(objective=settings.pop("objective", "val/mae"), trials=24, **settings)
    space = checked_spaces(study)["alone"]
    own = dict(space.own) | {"student.optimisation.max_epochs": MAX_EPOCHS}
    return ArmSearch(study.name, "alone", study.search, type(space)(**(vars(space) | {"own": own})), "a")


def curve(draw, metric="val/mae"):
    """Validation values of a trial, epoch by epoch, around a level of its own."""
    level = draw.uniform(1, 2)
    return tuple(
        EpochRecord(epoch=epoch, metrics={metric: level + draw.gauss(0, 0.2) + 1 / (epoch + 1)})
        for epoch in range(draw.randint(4, MAX_EPOCHS))
    )


def histories(own, seed, judge=None):
    """A search's trials as they end, round by round, with the curve of each; some fail."""
    draw = random.Random(seed)
    metric = own.settings.objective[0]
    history, curves = [], []
    while proposals := own.proposed(history):
        begun = tuple(history)
        for proposal in proposals:
            epochs = curve(draw, metric)
            last = given_up(own, proposal.number, begun, epochs) if judge is None else judge(epochs)
            state = "complete" if last is None else "pruned"
            state = "failed" if draw.random() < 0.1 else state
            kept = epochs if last is None else epochs[: last + 1]
            metrics = {metric: kept[-1].metrics[metric]} if state == "complete" else {}
            done = result(own.space.spec, "trial", state=state, epochs=kept, metrics=metrics)
            curves.append((begun, epochs))
            history.append(own.ended(proposal, done, begun))
    return history, curves


def given_up(own, number, history, epochs):
    """After which epoch the trial is given up; None if it is not."""
    pruning = own.pruning(number, history)
    for last in range(len(epochs)):
        if pruning.is_hopeless(epochs[: last + 1]):
            return last
    return None


def by_the_median_rule(history, epochs, settings, metric="val/mae", sign=1):
    """The rule in words: worse at its best than the median of the complete trials at this epoch."""
    complete = [trial.intermediate_values for trial in history if trial.state == TrialState.COMPLETE]
    for last in range(settings.warmup_epochs, len(epochs)):
        values = [sign * epoch.metrics[metric] for epoch in epochs[: last + 1]]
        others = [sign * values[last + 1] for values in complete if last + 1 in values]
        if len(complete) >= settings.startup_trials and others and min(values) > median(others):
            return last
    return None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("warmup", [0, 2])
def test_the_median_rule_is_what_it_says(seed, warmup):
    pruner = {"name": "median", "startup_trials": 3, "warmup_epochs": warmup}
    own = arm_search(pruner=pruner, sampler={"name": "random"})
    _, curves = histories(own, seed)
    found = [given_up(own, number, *one) for number, one in enumerate(curves)]
    expected = [by_the_median_rule(*one, own.settings.pruner) for one in curves]
    assert found == expected
    assert any(last is not None for last in found)
    assert all(last is None or last >= warmup for last in found)


def test_where_more_is_better_the_worst_is_still_given_up():
    own = arm_search(
        objective="val/corr", pruner={"name": "median", "startup_trials": 2}, sampler={"name": "random"}
    )
    _, curves = histories(own, 7)
    for number, one in enumerate(curves):
        expected = by_the_median_rule(*one, own.settings.pruner, "val/corr", sign=-1)
        assert given_up(own, number, *one) == expected


def test_hyperband_gives_up_what_it_would_in_a_loop_of_optunas_own():
    own = arm_search(
        pruner={"name": "hyperband", "reduction_factor": 2}, at_once=1, sampler={"name": "random"}
    )
    _, curves = histories(own, 3, judge=lambda epochs: None)
    study = optuna.create_study(
        study_name=own.name,
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.HyperbandPruner(1, MAX_EPOCHS, 2),
    )
    history = []
    for number, (_, epochs) in enumerate(curves):
        trial, last = study.ask(), None
        for epoch, record in enumerate(epochs):
            trial.report(record.metrics["val/mae"], epoch + 1)
            if trial.should_prune():
                last = epoch
                break
        if last is None:
            study.tell(trial, 1.0)
        else:
            study.tell(trial, state=TrialState.PRUNED)
        assert given_up(own, number, history, epochs) == last
        kept = epochs if last is None else epochs[: last + 1]
        state = "complete" if last is None else "pruned"
        metrics = {"val/mae": 1.0} if last is None else {}
        done = result(own.space.spec, "trial", state=state, epochs=kept, metrics=metrics)
        history.append(own.ended(own.proposed(history)[0], done, tuple(history)))
    assert {trial.state for trial in history} == {TrialState.COMPLETE, TrialState.PRUNED}


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_a_judge_travels_and_is_the_same_asked_at_once_or_step_by_step(pruner):
    own = arm_search(pruner={"name": pruner}, sampler={"name": "random"})
    history, curves = histories(own, 1)
    for number, (begun, epochs) in enumerate(curves):
        once = pickle.loads(pickle.dumps(own.pruning(number, begun)))
        steps = own.pruning(number, begun)
        answers = [steps.is_hopeless(epochs[: last + 1]) for last in range(len(epochs))]
        assert once.is_hopeless(epochs) == answers[-1]
        # Asked again about fewer epochs, as after a resumed run, it judges those only.
        assert [once.is_hopeless(epochs[: last + 1]) for last in range(len(epochs))] == answers
        assert pickle.loads(pickle.dumps(once)).is_hopeless(epochs) == answers[-1]
    assert any(trial.state == TrialState.PRUNED for trial in history)


def test_a_trial_is_not_judged_by_others_of_its_round():
    own = arm_search(pruner={"name": "median", "startup_trials": 1}, sampler={"name": "random"})
    history, _ = histories(own, 1)
    for number in range(4, 8):
        earlier = own.pruning(number, history).earlier
        assert [one.intermediate_values for one in earlier] == [
            one.intermediate_values for one in history[:4]
        ]


def test_nothing_is_given_up_without_a_pruner():
    assert arm_search().pruning(7, ()) is None


def test_no_number_after_an_epoch_is_a_reason_to_give_up():
    own = arm_search(pruner={"name": "median", "startup_trials": 1}, sampler={"name": "random"})
    _, curves = histories(own, 1)
    begun, epochs = curves[8]
    nothing = tuple(
        record.model_copy(update={"metrics": {"val/mae": float("nan")}}) for record in epochs
    )
    assert own.pruning(8, begun).is_hopeless(nothing)
