"""The absolute error against NumPy."""

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from harness.losses.task_l1 import TaskL1, TaskL1Config
from harness.types import Outputs

DATA = Toy(ToyConfig()).load()


def loss(score, batch):
    return TaskL1(TaskL1Config(), DATA.info)(Outputs(score), batch, None)


def test_it_is_numpys_mean_absolute_error():
    score = torch.randn(24, generator=torch.Generator().manual_seed(0))
    expected = np.abs(score.numpy() - DATA.train.target.numpy()).mean()
    assert float(loss(score, DATA.train)) == pytest.approx(float(expected), rel=1e-6)


def test_the_labels_themselves_cost_nothing():
    assert float(loss(DATA.train.target, DATA.train)) == 0


def test_every_clip_pulls_equally_hard_in_the_direction_of_its_label():
    score = torch.zeros(24, requires_grad=True)
    loss(score, DATA.train).backward()
    np.testing.assert_allclose(score.grad.numpy(), -np.sign(DATA.train.target.numpy()) / 24)
