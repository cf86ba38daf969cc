"""Step 1 against NumPy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from harness.losses.step1 import Step1, Step1Config
from harness.types import Outputs

DATA = Toy(ToyConfig()).load()


def loss(score, logits, label_range=(-3.0, 3.0)):
    info = replace(DATA.info, label_range=label_range)
    return Step1(Step1Config(), info)(Outputs(score, class_logits=logits), DATA.train, None)


@pytest.mark.parametrize(
    ("label_range", "count"), [((-3.0, 3.0), 7), ((-1.0, 1.0), 7), ((-1.0, 1.0), 5)]
)
def test_it_is_the_squared_distance_from_the_expected_level(label_range, count):
    draw = np.random.default_rng(0)
    score, logits = draw.normal(size=24), draw.normal(size=(24, count))
    share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = np.mean((score - share @ np.linspace(*label_range, count)) ** 2)
    found = loss(torch.tensor(score), torch.tensor(logits), label_range)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_class_logits_are_not_trained():
    score, logits = torch.ones(24, requires_grad=True), torch.randn(24, 7, requires_grad=True)
    loss(score, logits).backward()
    assert logits.grad is None
    assert score.grad.all()


def test_classes_that_are_all_alike_expect_the_middle_of_the_range():
    assert float(loss(torch.zeros(24), torch.zeros(24, 7))) == pytest.approx(0, abs=1e-12)
    assert float(loss(torch.full((24,), 0.5), torch.zeros(24, 3), (0.0, 1.0))) == pytest.approx(0)


def test_a_score_at_the_level_of_a_certain_class_costs_nothing():
    logits = torch.full((24, 7), -100.0)
    logits[:, 5] = 100.0
    assert float(loss(torch.full((24,), 2.0), logits)) == pytest.approx(0)
    assert float(loss(torch.full((24,), -1.0), logits)) == pytest.approx(9)


def test_the_labels_are_not_read():
    score, logits = torch.randn(24), torch.randn(24, 7)
    outputs = Outputs(score, class_logits=logits)
    unlabelled = replace(DATA.train, target=torch.full((24,), torch.nan))
    assert Step1(Step1Config(), DATA.info)(outputs, unlabelled, None).equal(loss(score, logits))
