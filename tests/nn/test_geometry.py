"""Directions and distances against NumPy, and at the points where their formulas break."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from harness.nn.compare.geometry import centred, distances, others, precise, products, rescaled, units

DRAW = np.random.default_rng(0)
POINTS = DRAW.normal(size=(6, 4))


def test_directions_are_vectors_over_their_lengths():
    expected = POINTS / np.sqrt((POINTS**2).sum(1, keepdims=True))
    np.testing.assert_allclose(units(torch.tensor(POINTS)), expected)


@pytest.mark.parametrize("length", [0.0, 1e-9, 1e-30])
def test_a_vector_without_length_has_no_direction_and_no_pull(length):
    vectors = torch.full((2, 4), length, requires_grad=True)
    found = units(vectors)
    found.sum().backward()
    assert not found.any()
    assert not vectors.grad.any()


def test_rescaled_vectors_keep_their_proportions():
    found = rescaled(torch.tensor(POINTS)).numpy()
    assert (found**2).sum() == pytest.approx(1)
    np.testing.assert_allclose(found / found[0, 0], POINTS / POINTS[0, 0])


def test_products_keep_their_precision_under_autocast():
    points = torch.tensor(POINTS, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = products(points, points)
    assert found.equal(points @ points.T)


def test_distances_are_lengths_of_differences():
    expected = [[np.linalg.norm(a - b) for b in POINTS] for a in POINTS]
    np.testing.assert_allclose(distances(torch.tensor(POINTS)), expected)


def test_distances_of_many_near_points_far_from_the_origin_are_right():
    points = 1e3 + 1e-2 * DRAW.normal(size=(40, 4))
    single = torch.tensor(points, dtype=torch.float32)
    expected = [[np.linalg.norm(a - b) for b in single.double()] for a in single.double()]
    np.testing.assert_allclose(distances(single), expected, rtol=1e-4)


def test_points_in_one_place_do_not_pull_at_each_other():
    points = torch.ones(3, 4, requires_grad=True)
    distances(points).sum().backward()
    assert not points.grad.any()


def test_others_are_all_entries_but_the_diagonal():
    matrix = torch.arange(9).view(3, 3)
    assert others(matrix).tolist() == [[1, 2], [3, 5], [6, 7]]


@pytest.mark.parametrize("dim", [0, 1])
def test_centred_values_have_lost_their_mean(dim):
    expected = POINTS - POINTS.mean(dim, keepdims=True)
    np.testing.assert_allclose(centred(torch.tensor(POINTS), dim), expected, atol=1e-15)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e6 + 0.1, -1e-12])
@pytest.mark.parametrize("count", [3, 7, 1000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_constant_has_no_spread_whatever_its_mean_is_rounded_to(value, count, dtype):
    assert not centred(torch.full((2, count), value, dtype=dtype), 1).any()


def test_a_spread_above_rounding_is_kept():
    values = torch.tensor([[1.0, 1.0, 1.0001]])
    assert_close(centred(values, 1), values - values.mean())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_made_single_and_no_other_is_touched(dtype):
    assert precise(torch.ones(2, dtype=dtype)).dtype == torch.float32
    assert precise(torch.ones(2, dtype=torch.float64)).dtype == torch.float64
