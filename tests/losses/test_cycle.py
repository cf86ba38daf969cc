"""The error of the way back against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.cycle import Cycle, CycleConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
RETURNED, AVAILABLE = DRAW.normal(size=(20, 5)), DRAW.normal(size=(20, 5))


def loss(returned, available):
    parts = {"returned": torch.as_tensor(returned), "available": torch.as_tensor(available)}
    found = Cycle(CycleConfig(), DATA.info)
    return found(Outputs(torch.zeros(20), parts=parts), DATA.train, None)


def test_it_is_the_mean_squared_error():
    assert loss(RETURNED, AVAILABLE).item() == pytest.approx(np.mean((RETURNED - AVAILABLE) ** 2))


def test_to_come_back_where_one_started_costs_nothing():
    assert loss(AVAILABLE, AVAILABLE).item() == 0


def test_where_one_started_does_not_move():
    returned, available = (torch.as_tensor(v).requires_grad_() for v in (RETURNED, AVAILABLE))
    loss(returned, available).backward()
    assert returned.grad.numpy() == pytest.approx(2 * (RETURNED - AVAILABLE) / 100)
    assert available.grad is None
