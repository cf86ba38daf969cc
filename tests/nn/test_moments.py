"""The central moment discrepancy against NumPy and SciPy."""

import numpy as np
import pytest
import torch
from scipy.stats import moment

from harness.nn.compare.moments import central_moment_discrepancy

DRAW = np.random.default_rng(0)
LEFT, RIGHT = DRAW.random((40, 6)), DRAW.random((30, 6)) ** 2


def discrepancy(left, right, moments=5):
    return central_moment_discrepancy(torch.as_tensor(left), torch.as_tensor(right), moments).item()


@pytest.mark.parametrize("moments", [1, 2, 5])
def test_it_is_the_sum_of_the_distances_of_means_and_central_moments(moments):
    expected = np.linalg.norm(LEFT.mean(0) - RIGHT.mean(0))
    for order in range(2, moments + 1):
        expected += np.linalg.norm(moment(LEFT, order) - moment(RIGHT, order))
    assert discrepancy(LEFT, RIGHT, moments) == pytest.approx(expected)


def test_a_hand_case():
    # Means 0.5 and 0.5, variances 0.25 and 0, third moments 0.
    assert discrepancy([[0.0], [1.0]], [[0.5], [0.5]], moments=3) == pytest.approx(0.25)


def test_it_is_symmetric_and_zero_for_the_same_set_in_any_order():
    assert discrepancy(LEFT, RIGHT) == pytest.approx(discrepancy(RIGHT, LEFT))
    assert discrepancy(LEFT, LEFT[::-1].copy()) == pytest.approx(0, abs=1e-12)


def test_a_common_shift_does_not_count():
    assert discrepancy(LEFT + 3, RIGHT + 3) == pytest.approx(discrepancy(LEFT, RIGHT))


def test_equal_sets_have_a_gradient_of_zero_and_not_of_no_number():
    values = torch.as_tensor(LEFT).requires_grad_()
    central_moment_discrepancy(values, torch.as_tensor(LEFT), 5).backward()
    assert not values.grad.any()


@pytest.mark.parametrize("scale", [1e-30, 1e4])
def test_it_stays_a_number_in_single_precision(scale):
    values = (scale * torch.as_tensor(LEFT).float()).requires_grad_()
    value = central_moment_discrepancy(values, scale * torch.as_tensor(RIGHT).float(), 5)
    value.backward()
    assert 0 < value < torch.inf
    assert values.grad.isfinite().all()


def test_leading_dimensions_are_kept():
    stack = torch.as_tensor(np.stack((LEFT, LEFT[:, ::-1])))
    found = central_moment_discrepancy(stack, torch.as_tensor(RIGHT), 5)
    expected = [discrepancy(LEFT, RIGHT), discrepancy(LEFT[:, ::-1].copy(), RIGHT)]
    assert found.tolist() == pytest.approx(expected)
