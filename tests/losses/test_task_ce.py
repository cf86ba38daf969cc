"""Cross-entropy on levels against NumPy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from harness.losses.task_ce import TaskCE, TaskCEConfig
from harness.types import Outputs

DATA = Toy(ToyConfig()).load()
SIMS = (-1, 1)


def loss(logits, batch, info=DATA.info):
    score = torch.zeros(len(logits))
    return float(TaskCE(TaskCEConfig(), info)(Outputs(score, class_logits=logits), batch, None))


def test_it_is_minus_the_log_of_the_softmax_at_the_label():
    logits = torch.randn(24, 7, generator=torch.Generator().manual_seed(0))
    values = logits.double().numpy()
    share = np.exp(values) / np.exp(values).sum(1, keepdims=True)
    label = (np.round(DATA.train.target.numpy()) + 3).astype(int)
    expected = -np.log(share[np.arange(24), label]).mean()
    assert loss(logits, DATA.train) == pytest.approx(expected, rel=1e-6)


def test_equal_logits_cost_the_log_of_the_number_of_levels():
    assert loss(torch.zeros(24, 5), DATA.train) == pytest.approx(np.log(5))


def test_the_label_range_comes_from_the_data():
    sure_of_the_top = torch.tensor([[-50.0, 0.0, 50.0]])
    ones = replace(DATA.train.take(torch.tensor([0])), target=torch.tensor([1.0]))
    assert loss(sure_of_the_top, ones, replace(DATA.info, label_range=SIMS)) == 0
    assert loss(sure_of_the_top, ones) == pytest.approx(50)
