"""The absolute error against the teacher's score, in NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.score_l1 import ScoreL1, ScoreL1Config
from harness.types import Outputs


def loss(student, teacher):
    return ScoreL1(ScoreL1Config(), DATA.info)(Outputs(student), DATA.train, Outputs(teacher))


def test_it_is_the_mean_distance_from_the_teachers_score():
    draw = np.random.default_rng(0)
    student, teacher = draw.normal(size=24), draw.normal(size=24)
    found = loss(torch.tensor(student), torch.tensor(teacher))
    assert float(found) == pytest.approx(np.mean(np.abs(student - teacher)))


def test_a_student_that_agrees_pays_nothing_and_learns_nothing():
    student = torch.linspace(-3, 3, 24).requires_grad_()
    found = loss(student, student.detach().clone())
    found.backward()
    assert found.item() == 0
    assert not student.grad.any()


def test_every_clip_pulls_equally_hard():
    student, teacher = torch.zeros(24, requires_grad=True), torch.linspace(-3, 3, 24)
    loss(student, teacher).backward()
    np.testing.assert_allclose(student.grad.numpy(), -np.sign(teacher.numpy()) / 24)
