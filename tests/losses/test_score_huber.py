"""Huber's error against the teacher's score, by its two branches in NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.score_huber import ScoreHuber, ScoreHuberConfig
from harness.losses.step2 import Step2, Step2Config
from harness.types import Outputs

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = (torch.tensor(DRAW.normal(size=24)) for _ in range(2))


def loss(student, teacher, delta=1.0):
    built = ScoreHuber(ScoreHuberConfig(delta=delta), DATA.info)
    return built(Outputs(student), DATA.train, Outputs(teacher))


@pytest.mark.parametrize("delta", [0.1, 1.0, 3.0])
def test_it_is_a_square_near_the_teacher_and_linear_beyond_delta(delta):
    errors = np.abs(STUDENT.numpy() - TEACHER.numpy())
    branches = [e**2 / 2 if e <= delta else delta * (e - delta / 2) for e in errors]
    assert float(loss(STUDENT, TEACHER, delta)) == pytest.approx(np.mean(branches))


def test_with_a_wide_delta_it_is_half_of_step_2():
    step2 = Step2(Step2Config(), DATA.info)(Outputs(STUDENT), DATA.train, Outputs(TEACHER))
    assert float(loss(STUDENT, TEACHER, delta=100)) == pytest.approx(float(step2) / 2)


def test_a_teacher_that_is_wildly_wrong_pulls_no_harder_than_delta():
    student = STUDENT.clone().requires_grad_()
    loss(student, TEACHER + 1000, delta=0.5).backward()
    np.testing.assert_allclose(student.grad.numpy(), -0.5 / 24)


def test_a_student_that_agrees_pays_nothing_and_learns_nothing():
    student = STUDENT.clone().requires_grad_()
    found = loss(student, STUDENT)
    found.backward()
    assert found.item() == 0
    assert not student.grad.any()
