"""Match scores regressed on labels, against loops over pairs."""

import numpy as np
import pytest
from matching import EVENTS, certain, clips, judging, scores_by_hand

from harness.losses.match_regression import MatchRegression, MatchRegressionConfig

CLASSES = [0, 1, 0, 2, 1, 0]
PAIRS = [(i, j) for i in range(6) for j in range(6) if i != j]
FACTORS = np.random.default_rng(0).normal(size=(6, 4))


def loss(factors, classes=CLASSES, **params):
    built = MatchRegression(MatchRegressionConfig(**params), EVENTS.info)
    return built(judging(factors), clips(classes), None).item()


def costs(kind="mse"):
    scores = scores_by_hand(FACTORS)
    same, other = [], []
    for i, j in PAIRS:
        wanted = float(CLASSES[i] == CLASSES[j])
        m = scores[i, j]
        error = (m - wanted) ** 2 if kind == "mse" else -np.log(m if wanted else 1 - m)
        (same if wanted else other).append(error)
    return same, other


@pytest.mark.parametrize("kind", ["mse", "bce"])
def test_it_is_the_mean_over_pairs_of_different_clips(kind):
    same, other = costs(kind)
    assert loss(FACTORS, kind=kind, balanced=False) == pytest.approx(np.mean([*same, *other]))


@pytest.mark.parametrize("kind", ["mse", "bce"])
def test_balanced_the_few_pairs_of_one_class_weigh_as_much_as_the_others(kind):
    same, other = costs(kind)
    found = loss(FACTORS, kind=kind, balanced=True)
    assert found == pytest.approx((np.mean(same) + np.mean(other)) / 2)


@pytest.mark.parametrize("classes", [[0, 0, 0], [0, 1, 2]])
def test_pairs_of_one_kind_are_balanced_by_nothing(classes):
    rows = FACTORS[:3]
    assert loss(rows, classes, balanced=True) == pytest.approx(loss(rows, classes))


@pytest.mark.parametrize("kind", ["mse", "bce"])
def test_knowing_the_classes_costs_nothing_and_calling_them_by_other_names_neither(kind):
    assert loss(certain(CLASSES), kind=kind) == pytest.approx(0, abs=1e-9)
    assert loss(certain([2, 0, 2, 1, 0, 2]), kind=kind) == pytest.approx(0, abs=1e-9)


def test_the_best_that_can_be_said_of_all_pairs_alike_is_the_share_of_one_class():
    share = np.mean([CLASSES[i] == CLASSES[j] for i, j in PAIRS])
    found = {score: loss(np.full((6, 1), np.log(score / (1 - score)))) for score in (0.1, share, 0.5)}
    assert min(found, key=found.get) == share
    assert found[share] == pytest.approx(share * (1 - share))


def test_balanced_to_say_the_same_of_all_pairs_costs_a_quarter_at_least():
    found = {bias: loss(np.full((6, 1), bias), balanced=True) for bias in (-2.0, 0.0, 2.0)}
    assert found[0.0] == pytest.approx(0.25)
    assert min(found.values()) == found[0.0]


def test_what_a_clip_has_to_do_with_itself_is_not_asked():
    # Orthogonal clips: only what is said of a clip and itself depends on their lengths.
    short, long = (np.column_stack((length * np.eye(6), np.zeros(6))) for length in (1, 3))
    assert loss(short) == loss(long)
