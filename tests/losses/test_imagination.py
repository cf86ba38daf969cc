"""The error of what is imagined against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.imagination import Imagination, ImaginationConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
IMAGINED, COMPLETE = DRAW.normal(size=(20, 5)), DRAW.normal(size=(20, 5))


def loss(imagined, complete):
    parts = {"imagined": torch.as_tensor(imagined), "complete": torch.as_tensor(complete)}
    found = Imagination(ImaginationConfig(), DATA.info)
    return found(Outputs(torch.zeros(20), parts=parts), DATA.train, None)


def test_it_is_the_mean_squared_error():
    assert loss(IMAGINED, COMPLETE).item() == pytest.approx(np.mean((IMAGINED - COMPLETE) ** 2))


def test_the_truth_costs_nothing():
    assert loss(COMPLETE, COMPLETE).item() == 0


def test_the_truth_does_not_move():
    imagined, complete = (torch.as_tensor(v).requires_grad_() for v in (IMAGINED, COMPLETE))
    loss(imagined, complete).backward()
    assert imagined.grad.numpy() == pytest.approx(2 * (IMAGINED - COMPLETE) / 100)
    assert complete.grad is None
