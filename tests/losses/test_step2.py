"""Step 2 against NumPy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from harness.losses.step2 import Step2, Step2Config
from harness.types import Outputs

DATA = Toy(ToyConfig()).load()


def loss(student, teacher, batch=DATA.train):
    return Step2(Step2Config(), DATA.info)(Outputs(student), batch, Outputs(teacher))


def test_it_is_the_mean_squared_distance_from_the_teachers_score():
    draw = np.random.default_rng(0)
    student, teacher = draw.normal(size=24), draw.normal(size=24)
    found = loss(torch.tensor(student), torch.tensor(teacher))
    assert float(found) == pytest.approx(np.mean((student - teacher) ** 2))


def test_a_student_that_agrees_pays_nothing_and_learns_nothing():
    student = torch.linspace(-3, 3, 24).requires_grad_()
    found = loss(student, student.detach().clone())
    found.backward()
    assert found.item() == 0
    assert not student.grad.any()


def test_the_pull_grows_with_the_distance():
    student = torch.zeros(24, requires_grad=True)
    teacher = torch.linspace(-3, 3, 24)
    loss(student, teacher).backward()
    np.testing.assert_allclose(student.grad.numpy(), -2 * teacher.numpy() / 24, rtol=1e-6)


def test_the_labels_are_not_read():
    student, teacher = torch.randn(24), torch.randn(24)
    unlabelled = replace(DATA.train, target=torch.full((24,), torch.nan))
    assert loss(student, teacher, unlabelled).equal(loss(student, teacher))
