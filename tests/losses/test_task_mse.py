"""The squared error against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.task_mse import TaskMSE, TaskMSEConfig
from harness.types import Outputs


def loss(score):
    return TaskMSE(TaskMSEConfig(), DATA.info)(Outputs(score), DATA.train, None)


def test_it_is_numpys_mean_squared_error():
    score = torch.randn(24, generator=torch.Generator().manual_seed(0))
    expected = np.square(score.numpy() - DATA.train.target.numpy()).mean()
    assert float(loss(score)) == pytest.approx(float(expected), rel=1e-6)


def test_the_labels_themselves_cost_nothing():
    assert float(loss(DATA.train.target)) == 0


def test_of_all_constants_the_mean_of_the_labels_is_cheapest():
    constant = DATA.train.target.mean().requires_grad_()
    loss(constant.expand(24)).backward()
    assert float(constant.grad) == pytest.approx(0, abs=1e-6)
