"""Correlations of class probabilities against NumPy."""

import numpy as np
import pytest
from loss_samples import DATA, of_logits, softmax

from harness.losses.dist import DIST, DISTConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(24, 7)), DRAW.normal(size=(24, 7))


def loss(student, teacher, **config):
    return float(
        DIST(DISTConfig(**config), DATA.info)(of_logits(student), DATA.train, of_logits(teacher))
    )


def mean_correlation(left, right):
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(left, right, strict=True)])


@pytest.mark.parametrize(("beta", "gamma", "temperature"), [(1, 1, 1), (2, 0, 4), (0, 3, 0.5)])
def test_it_is_one_less_pearsons_correlation_of_rows_and_of_columns(beta, gamma, temperature):
    student, teacher = (softmax(side / temperature) for side in (STUDENT, TEACHER))
    inter = 1 - mean_correlation(student, teacher)
    intra = 1 - mean_correlation(student.T, teacher.T)
    expected = temperature**2 * (beta * inter + gamma * intra)
    found = loss(STUDENT, TEACHER, beta=beta, gamma=gamma, temperature=temperature)
    assert found == pytest.approx(expected)


def test_the_same_probabilities_cost_nothing():
    assert loss(TEACHER + 5, TEACHER) == pytest.approx(0, abs=1e-12)


def test_a_positive_affine_map_of_each_row_costs_nothing_within_clips():
    slope = DRAW.uniform(0.1, 1, size=(24, 1))
    flatter = slope * softmax(TEACHER) + (1 - slope) / 7
    assert loss(np.log(flatter), TEACHER, gamma=0) == pytest.approx(0, abs=1e-12)
    assert loss(np.log(flatter), TEACHER, beta=0) > 0.01


def test_a_common_positive_affine_map_costs_nothing_at_all():
    flatter = 0.3 * softmax(TEACHER) + 0.7 / 7
    assert loss(np.log(flatter), TEACHER) == pytest.approx(0, abs=1e-12)


def test_the_opposite_correlation_costs_two():
    shares = softmax(TEACHER)
    mirrored = 2 / 7 - (0.1 * shares + 0.9 / 7)
    assert loss(np.log(mirrored), TEACHER, gamma=0) == pytest.approx(2)


def test_a_student_without_an_opinion_pays_one_a_relation():
    assert loss(np.zeros((24, 7)), TEACHER) == pytest.approx(2)
    assert loss(np.full((24, 7), 0.1, dtype=np.float32), TEACHER.astype(np.float32)) == 2
