"""Levels against exact fractions; distances between distributions over them against SciPy."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from harness.nn.compare.levels import level_shares, nearest_level, squared_emd

MOSI, SIMS = (-3, 3), (-1, 1)


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


@pytest.mark.parametrize(("label_range", "count"), [(MOSI, 7), (SIMS, 7), (SIMS, 5), ((0, 1), 2)])
def test_shares_of_a_label_sum_to_one_and_expect_the_label(label_range, count):
    targets = torch.tensor(np.random.default_rng(0).uniform(*label_range, 500))
    shares = level_shares(targets, label_range, count).numpy()
    np.testing.assert_allclose(shares.sum(1), 1)
    np.testing.assert_allclose(shares @ np.linspace(*label_range, count), targets, atol=1e-12)
    assert ((shares > 0).sum(1) <= 2).all()


def test_a_level_has_itself_as_its_only_share():
    shares = level_shares(torch.linspace(-3, 3, 7, dtype=torch.float64), MOSI, 7)
    assert shares.equal(torch.eye(7, dtype=torch.float64))


def test_a_label_beyond_the_range_is_shared_as_its_end():
    shares = level_shares(torch.tensor([-9.0, 9.0]), MOSI, 3)
    assert shares.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_between_two_levels_the_squared_distance_is_the_square_of_the_plain_one():
    draw = np.random.default_rng(0)
    one, other = (np.stack((share, 1 - share), 1) for share in draw.uniform(size=(2, 20)))
    plain = [wasserstein_distance([0, 1], [0, 1], a, b) for a, b in zip(one, other, strict=True)]
    found = squared_emd(torch.tensor(one), torch.tensor(other))
    np.testing.assert_allclose(found, np.square(plain), atol=1e-12)


def test_certain_distributions_are_as_far_as_their_levels():
    certain = torch.eye(5)
    distances = [[squared_emd(certain[[i]], certain[[j]]).item() for j in range(5)] for i in range(5)]
    assert distances == [[abs(i - j) for j in range(5)] for i in range(5)]
