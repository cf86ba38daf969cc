"""The squared earth mover's distance from the teacher against loops."""

import numpy as np
import pytest
from loss_samples import DATA, of_logits, softmax

from harness.losses.emd import EMD, EMDConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(24, 7)), DRAW.normal(size=(24, 7))
SURE = 200 * np.eye(7)


def loss(student, teacher, temperature=1.0):
    built = EMD(EMDConfig(temperature=temperature), DATA.info)
    return float(built(of_logits(student), DATA.train, of_logits(teacher)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_it_is_the_sum_of_squared_differences_of_cumulative_shares(temperature):
    expected = 0.0
    for s, t in zip(softmax(STUDENT / temperature), softmax(TEACHER / temperature), strict=True):
        expected += sum((s[: k + 1].sum() - t[: k + 1].sum()) ** 2 for k in range(7)) / 24
    assert loss(STUDENT, TEACHER, temperature) == pytest.approx(expected)


def test_the_same_probabilities_cost_nothing():
    assert loss(TEACHER + 5, TEACHER) == pytest.approx(0, abs=1e-12)


def test_certainty_of_another_level_costs_its_distance_in_levels():
    assert [loss(SURE[[k]], SURE[[2]]) for k in range(7)] == pytest.approx([2, 1, 0, 1, 2, 3, 4])


def test_student_and_teacher_are_equally_far_from_each_other():
    assert loss(STUDENT, TEACHER) == pytest.approx(loss(TEACHER, STUDENT))


def test_levels_counted_from_the_other_end_are_as_far():
    assert loss(STUDENT[:, ::-1].copy(), TEACHER[:, ::-1].copy()) == pytest.approx(
        loss(STUDENT, TEACHER)
    )
