import random

import optuna
import pytest
from optuna.trial import create_trial

from harness.spec.leaders import leaders
from harness.study.search.front import finalists

OBJECTIVES = ("val/mae", "parameters")


def cloud(seed, count=40, objectives=OBJECTIVES):
    draw = random.Random(seed)
    return {number: tuple(float(draw.randint(1, 12)) for _ in objectives) for number in range(count)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "objectives", [OBJECTIVES, ("val/corr", "latency_ms"), ("val/mae", "val/corr", "parameters")]
)
def test_the_front_is_optunas(seed, objectives):
    points = cloud(seed, objectives=objectives)
    ways = ["maximize" if name == "val/corr" else "minimize" for name in objectives]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=ways)
    for values in points.values():
        study.add_trial(create_trial(values=values))
    assert set(leaders(points, objectives)) == {trial.number for trial in study.best_trials}


def front(seed=1, count=60):
    points = cloud(seed, count)
    return {number: points[number] for number in leaders(points, OBJECTIVES)}


def test_without_a_limit_every_different_point_of_a_front_is_run_again():
    points = {3: (1.0, 5.0), 7: (1.0, 5.0), 4: (2.0, 3.0), 9: (4.0, 1.0)}
    assert finalists(points, OBJECTIVES, None) == [3, 4, 9]


def test_the_ends_of_a_front_are_among_its_finalists():
    line = {number: (float(number), float((9 - number) ** 2)) for number in range(10)}
    for count in range(2, 10):
        kept = finalists(line, OBJECTIVES, count)
        assert len(kept) == count
        assert {0, 9} <= set(kept)


def test_the_point_with_the_nearest_neighbours_leaves_first():
    # Along both axes the neighbours of 2 are 0.2 apart; those of the others at least 0.5.
    points = {0: (0.0, 1.0), 1: (0.5, 0.5), 2: (0.6, 0.4), 3: (0.7, 0.3), 4: (1.0, 0.0)}
    assert finalists(points, OBJECTIVES, 4) == [0, 1, 3, 4]


def test_a_single_finalist_is_the_best_in_the_first_objective():
    points = front()
    best = min(points, key=lambda number: points[number][0])
    assert finalists(points, OBJECTIVES, 1) == [best]
    higher = {0: (0.1, 1.0), 1: (0.9, 9.0)}
    assert finalists(higher, ("val/corr", "parameters"), 1) == [1]


def test_of_one_objective_the_first_of_the_best_leads():
    assert leaders({2: (0.5,), 1: (0.5,), 0: (0.7,)}, ("val/mae",)) == (1,)
    assert leaders({2: (0.5,), 1: (0.5,), 0: (0.7,)}, ("val/corr",)) == (0,)
