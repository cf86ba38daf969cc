"""Angles against loops."""

import itertools

import numpy as np
import pytest
from loss_samples import DATA, of_embedding, rotation

from harness.losses.rkd_angle import RKDAngle, RKDAngleConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(6, 5)), DRAW.normal(size=(6, 7))


def loss(student, teacher, delta=1.0):
    built = RKDAngle(RKDAngleConfig(delta=delta), DATA.info)
    return built(of_embedding(student), DATA.train, of_embedding(teacher)).item()


def cosines(points):
    found = []
    for i, j, k in itertools.permutations(points, 3):
        one, other = i - j, k - j
        found.append(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    return np.array(found)


@pytest.mark.parametrize("delta", [0.1, 1.0])
def test_it_is_hubers_loss_of_the_cosines_of_all_angles(delta):
    errors = np.abs(cosines(STUDENT) - cosines(TEACHER))
    branches = [e**2 / 2 if e <= delta else delta * (e - delta / 2) for e in errors]
    assert loss(STUDENT, TEACHER, delta) == pytest.approx(np.mean(branches))


def test_the_same_embeddings_cost_nothing():
    assert loss(TEACHER, TEACHER) == pytest.approx(0, abs=1e-12)


def test_shifts_rotations_and_a_common_scale_do_not_count():
    moved = 40 * TEACHER @ rotation(7) + DRAW.normal(size=7)
    assert loss(moved, TEACHER) == pytest.approx(0, abs=1e-12)


def test_two_clips_make_no_angle():
    assert loss(STUDENT[:2], TEACHER[:2]) == 0


def test_a_line_against_a_right_angled_triangle_with_equal_sides():
    line, triangle = np.array([[-1.0, 0], [0, 0], [1, 0]]), np.array([[1.0, 0], [0, 0], [0, 1]])
    errors = np.array([1 - np.sqrt(0.5), -1 - 0, 1 - np.sqrt(0.5)])
    assert loss(line, triangle) == pytest.approx(np.mean(errors**2 / 2))


def test_clips_in_one_place_make_no_angle_of_their_own():
    doubled = np.array([[0.0, 0], [0, 0], [1, 0]])
    assert loss(doubled, doubled + 3) == 0
    # At the far clip the angle is 0 (cosine 1), at the doubled one it counts as a right one.
    assert loss(doubled, np.zeros((3, 2))) == pytest.approx(2 * 0.5 / 6)
