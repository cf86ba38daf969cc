"""Huber's error against its two branches in NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.task_huber import TaskHuber, TaskHuberConfig
from harness.types import Outputs


def loss(score, delta=1.0):
    return TaskHuber(TaskHuberConfig(delta=delta), DATA.info)(Outputs(score), DATA.train, None)


@pytest.mark.parametrize("delta", [0.1, 1.0, 3.0])
def test_it_is_a_square_near_the_label_and_linear_beyond_delta(delta):
    score = torch.randn(24, generator=torch.Generator().manual_seed(0))
    errors = np.abs(score.numpy() - DATA.train.target.numpy())
    branches = [e**2 / 2 if e <= delta else delta * (e - delta / 2) for e in errors]
    assert float(loss(score, delta)) == pytest.approx(float(np.mean(branches)), rel=1e-6)


def test_the_labels_themselves_cost_nothing():
    assert float(loss(DATA.train.target)) == 0


def test_no_clip_pulls_harder_than_delta():
    score = (DATA.train.target + torch.linspace(-9, 9, 24)).requires_grad_()
    loss(score, delta=0.5).backward()
    assert float(score.grad.abs().max()) == pytest.approx(0.5 / 24)


def test_a_wide_delta_is_half_the_squared_error():
    score = torch.zeros(24)
    expected = DATA.train.target.square().mean() / 2
    assert float(loss(score, delta=100)) == pytest.approx(float(expected), rel=1e-6)
