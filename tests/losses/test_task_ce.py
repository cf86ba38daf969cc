"""Levels against exact fractions, cross-entropy against NumPy."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from harness.losses.task_ce import TaskCE, TaskCEConfig, nearest_level
from harness.types import Outputs

DATA = Toy(ToyConfig()).load()
MOSI, SIMS = (-3, 3), (-1, 1)


def loss(logits, batch, info=DATA.info):
    score = torch.zeros(len(logits))
    return float(TaskCE(TaskCEConfig(), info)(Outputs(score, class_logits=logits), batch, None))


def levels(targets, label_range, count, dtype=torch.float32):
    return nearest_level(torch.tensor(targets, dtype=dtype), label_range, count).tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_seven_levels_are_numpys_rounding_half_to_even(dtype):
    targets = np.arange(-3, 3.25, 0.25)
    assert levels(targets, MOSI, 7, dtype) == (np.round(targets) + 3).astype(int).tolist()


def test_half_way_values_go_to_the_even_score():
    assert levels([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], MOSI, 7) == [1, 1, 3, 3, 5, 5]


@pytest.mark.parametrize("count", [7, 5, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_labels_in_fifths_fall_on_the_level_that_exact_fractions_give(count, dtype):
    targets = [Fraction(fifths, 5) for fifths in range(-5, 6)]
    step = Fraction(2, count - 1)
    exact = [round(target / step) + (count - 1) // 2 for target in targets]
    assert levels([float(target) for target in targets], SIMS, count, dtype) == exact


def test_half_way_values_of_five_levels_on_a_narrow_range_go_to_the_even_multiple():
    assert levels([-0.75, -0.25, 0.25, 0.75], SIMS, 5) == [0, 2, 2, 4]


@pytest.mark.parametrize(("label_range", "count"), [(MOSI, 7), (SIMS, 7), (SIMS, 5), (MOSI, 4)])
def test_a_level_is_its_own_nearest(label_range, count):
    assert levels(np.linspace(*label_range, count), label_range, count) == list(range(count))


@pytest.mark.parametrize(("label_range", "count"), [(MOSI, 7), (SIMS, 7), (SIMS, 5), (MOSI, 6)])
def test_no_other_level_is_nearer(label_range, count):
    targets = np.random.default_rng(0).uniform(*label_range, 500)
    distances = np.abs(targets[:, None] - np.linspace(*label_range, count))
    assert levels(targets, label_range, count, torch.float64) == distances.argmin(1).tolist()


def test_labels_beyond_the_range_count_as_its_ends():
    assert levels([-9.0, 9.0], MOSI, 7) == [0, 6]


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
