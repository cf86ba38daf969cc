"""Relative distances against loops."""

import itertools

import numpy as np
import pytest
from loss_samples import DATA, of_embedding, rotation

from harness.losses.rkd_distance import RKDDistance, RKDDistanceConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(8, 5)), DRAW.normal(size=(8, 6))


def loss(student, teacher, delta=1.0):
    built = RKDDistance(RKDDistanceConfig(delta=delta), DATA.info)
    return built(of_embedding(student), DATA.train, of_embedding(teacher)).item()


def relative(points):
    found = [np.linalg.norm(a - b) for a, b in itertools.permutations(points, 2)]
    return np.array(found) / np.mean(found)


@pytest.mark.parametrize("delta", [0.1, 1.0])
def test_it_is_hubers_loss_of_distances_in_units_of_their_mean(delta):
    errors = np.abs(relative(STUDENT) - relative(TEACHER))
    branches = [e**2 / 2 if e <= delta else delta * (e - delta / 2) for e in errors]
    assert loss(STUDENT, TEACHER, delta) == pytest.approx(np.mean(branches))


def test_the_same_embeddings_cost_nothing():
    assert loss(TEACHER, TEACHER) == pytest.approx(0, abs=1e-12)


def test_shifts_rotations_and_a_common_scale_do_not_count():
    moved = 40 * TEACHER @ rotation(6) + DRAW.normal(size=6)
    assert loss(moved, TEACHER) == pytest.approx(0, abs=1e-12)


def test_two_clips_are_always_one_mean_distance_apart():
    assert loss(STUDENT[:2], TEACHER[:2]) == pytest.approx(0, abs=1e-12)


def test_a_student_that_holds_all_clips_for_one_pays_half_the_squared_relative_distances():
    expected = np.mean(relative(TEACHER) ** 2) / 2
    assert loss(np.ones((8, 5)), TEACHER, delta=100) == pytest.approx(expected)


def test_near_clips_far_from_the_origin_are_still_told_apart():
    near = (1e3 + 1e-2 * TEACHER).astype(np.float32)
    expected = loss(STUDENT, (near.astype(np.float64) - 1e3) * 100)
    assert loss(STUDENT.astype(np.float32), near) == pytest.approx(expected, rel=1e-3)
