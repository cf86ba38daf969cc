"""The squared earth mover's distance from the label against loops."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from loss_samples import DATA, of_logits, softmax

from harness.losses.task_emd import TaskEMD, TaskEMDConfig

DRAW = np.random.default_rng(0)
SURE = 200.0


def loss(logits, targets, label_range=(-3.0, 3.0), **config):
    info = replace(DATA.info, label_range=label_range)
    batch = replace(DATA.train, target=torch.as_tensor(targets, dtype=torch.float64))
    return float(TaskEMD(TaskEMDConfig(**config), info)(of_logits(logits), batch, None))


def sure_of(*levels, count=7):
    return SURE * np.eye(count)[list(levels)]


def label_of(target, low, high, count):
    """The label as a distribution over the levels, found by looking for its neighbours."""
    levels, shares = np.linspace(low, high, count), np.zeros(count)
    above = next((k for k in range(count) if levels[k] >= target), count - 1)
    below = max(0, above - 1)
    if target <= low or target >= high or levels[above] == target:
        shares[above] = 1
    else:
        shares[below] = (levels[above] - target) / (levels[above] - levels[below])
        shares[above] = 1 - shares[below]
    return shares


@pytest.mark.parametrize(("label_range", "count"), [((-3, 3), 7), ((-1, 1), 5), ((0, 1), 2)])
def test_it_is_the_sum_of_squared_differences_of_cumulative_shares(label_range, count):
    logits, targets = DRAW.normal(size=(24, count)), DRAW.uniform(*label_range, 24)
    expected = 0.0
    for shares, target in zip(softmax(logits), targets, strict=True):
        label = label_of(target, *label_range, count)
        for k in range(count):
            expected += (shares[: k + 1].sum() - label[: k + 1].sum()) ** 2 / 24
    assert loss(logits, targets, label_range) == pytest.approx(expected)


def test_certainty_of_the_labels_level_costs_nothing():
    assert loss(sure_of(0, 3, 6), [-3, 0, 3]) == pytest.approx(0)


def test_certainty_of_another_level_costs_its_distance_in_levels():
    assert loss(sure_of(6), [-3]) == pytest.approx(6)
    assert loss(sure_of(2, 4), [0, 0]) == pytest.approx(1)


def test_a_label_between_two_levels_is_shared_by_them():
    assert loss(np.log([[1e-99, 1e-99, 1e-99, 0.75, 0.25, 1e-99, 1e-99]]), [0.25]) == pytest.approx(0)
    assert loss(sure_of(3), [0.25]) == pytest.approx(0.25**2)


def test_or_it_is_rounded_to_the_nearest_level():
    assert loss(sure_of(3), [0.25], interpolate=False) == pytest.approx(0)
    assert loss(sure_of(3, 4), [0.75, 0.75], interpolate=False) == pytest.approx(0.5)


def test_a_label_beyond_the_range_counts_as_its_end():
    assert loss(sure_of(6), [5.0]) == pytest.approx(0)
