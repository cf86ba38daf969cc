"""Kernels against scikit-learn, and what landmarks keep of them."""

import math

import pytest
import torch
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel
from torch.testing import assert_close

from harness.nn.compare.geometry import units
from harness.nn.retrieval.kernels import (
    Points,
    inverse_factor,
    kernel,
    median_distance,
    own_order,
    pivots,
)

DRAW = torch.Generator().manual_seed(0)
ROWS = torch.randn(40, 5, generator=DRAW, dtype=torch.float64) + 1
POINTS = Points.of(ROWS)


def features(name, points, chosen):
    landmarks = points.at(chosen)
    return kernel(name, points, landmarks) @ inverse_factor(name, landmarks)


def left_out(name, points, chosen):
    """Trace of what the landmarks leave of the kernel."""
    found = features(name, points, chosen)
    return (kernel(name, points, points) - found @ found.T).trace().item()


def test_kernels_are_those_of_scikit_learn():
    array = ROWS.numpy()
    assert_close(kernel("rbf", POINTS, POINTS), torch.as_tensor(rbf_kernel(array, gamma=1)))
    unit = Points.of(units(ROWS))
    assert_close(kernel("cosine", unit, unit), torch.as_tensor(cosine_similarity(array)))
    assert_close(kernel("linear", POINTS, POINTS.at(torch.arange(3))), ROWS @ ROWS[:3].T)


def test_features_of_landmarks_give_the_nystroem_kernel_of_scikit_learn():
    chosen = torch.arange(12)
    peer = Nystroem(kernel="rbf", gamma=1, n_components=12).fit(ROWS[:12].numpy())
    theirs = torch.as_tensor(peer.transform(ROWS.numpy()))
    ours = features("rbf", POINTS, chosen)
    assert_close(ours @ ours.T, theirs @ theirs.T, atol=1e-9, rtol=0)


def test_with_every_point_a_landmark_the_kernel_is_exact():
    found = features("rbf", POINTS, pivots("rbf", POINTS, 40))
    assert_close(found @ found.T, kernel("rbf", POINTS, POINTS), atol=1e-6, rtol=0)


def test_every_pivot_is_the_point_that_those_before_explain_least():
    chosen = pivots("rbf", POINTS, 6)
    for count in range(1, 6):
        found = features("rbf", POINTS, chosen[:count])
        assert int((1 - found.square().sum(1)).argmax()) == chosen[count]


def test_pivots_leave_less_of_a_kernel_of_clusters_than_the_first_points_do():
    # Most points are of one cluster, and so are the first ones.
    sizes = torch.tensor([200, 5, 5, 5, 5])
    middle = 5 * torch.randn(5, 4, generator=DRAW, dtype=torch.float64)
    spread = 0.02 * torch.randn(220, 4, generator=DRAW, dtype=torch.float64)
    points = Points.of(middle.repeat_interleave(sizes, 0) + spread)
    greedy, first = pivots("rbf", points, 8), torch.arange(8)
    assert left_out("rbf", points, greedy) < 0.5 * left_out("rbf", points, first)


def test_there_are_no_more_pivots_than_the_rank_of_the_kernel():
    assert len(pivots("linear", POINTS, 40)) == 5
    twice = Points.of(ROWS[:7].repeat(3, 1))
    assert len(pivots("rbf", twice, 21)) == 7


def test_points_without_a_length_have_no_pivots_by_their_angles():
    assert len(pivots("cosine", Points.of(torch.zeros(4, 3)), 4)) == 0


def test_the_own_order_of_rows_does_not_depend_on_the_one_they_came_in():
    order = torch.randperm(40, generator=DRAW)
    assert ROWS[order][own_order(ROWS[order])].equal(ROWS[own_order(ROWS)])
    assert sorted(own_order(ROWS).tolist()) == list(range(40))


def test_the_median_distance_is_over_rows_that_differ():
    rows = torch.tensor([[0.0], [0.0], [0.0], [3.0]])
    assert median_distance(rows) == 3
    assert median_distance(torch.ones(5, 2)) == 0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_median_distance_of_normal_numbers_is_known(scale):
    rows = scale * torch.randn(800, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    # Differences have a standard deviation of √2, and half of them are within 0.6745 of it.
    assert median_distance(rows) == pytest.approx(0.6745 * math.sqrt(2) * scale, rel=0.05)
