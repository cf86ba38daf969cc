"""Linear centred kernel alignment against the formula of cross-products of features."""

import numpy as np
import pytest
from loss_samples import DATA, of_embedding, rotation

from harness.losses.cka import CKA, CKAConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(20, 5)), DRAW.normal(size=(20, 6))


def loss(student, teacher):
    return CKA(CKAConfig(), DATA.info)(of_embedding(student), DATA.train, of_embedding(teacher)).item()


def norm(matrix):
    return np.sqrt((matrix**2).sum())


def test_it_is_one_less_the_alignment_of_centred_features():
    x, y = STUDENT - STUDENT.mean(0), TEACHER - TEACHER.mean(0)
    expected = 1 - norm(y.T @ x) ** 2 / (norm(x.T @ x) * norm(y.T @ y))
    assert loss(STUDENT, TEACHER) == pytest.approx(expected)


def test_it_is_one_less_the_alignment_by_hsic_with_centring_matrices():
    h = np.eye(20) - np.ones((20, 20)) / 20
    k, l = STUDENT @ STUDENT.T, TEACHER @ TEACHER.T  # noqa: E741 - the paper's letters

    def hsic(one, other):
        return np.trace(one @ h @ other @ h) / 19**2

    expected = 1 - hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l))
    assert loss(STUDENT, TEACHER) == pytest.approx(expected)


def test_the_same_embeddings_cost_nothing():
    assert loss(TEACHER, TEACHER) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_orthogonal_maps_shifts_and_isotropic_scaling_do_not_count(scale):
    moved = scale * (TEACHER @ rotation(6) + DRAW.normal(size=6))
    assert loss(moved, TEACHER) == pytest.approx(0, abs=1e-9)
    assert loss(STUDENT, moved) == pytest.approx(loss(STUDENT, TEACHER))


def test_other_invertible_maps_do_count():
    assert loss(TEACHER * [1, 1, 1, 1, 1, 9], TEACHER) > 0.1


def test_features_that_have_nothing_in_common_cost_one():
    signs = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    assert loss(signs[:, :1], signs[:, 1:]) == pytest.approx(1)


def test_a_student_that_says_the_same_of_all_clips_pays_one():
    assert loss(np.full((20, 5), 0.1), TEACHER) == 1


def test_two_clips_are_always_aligned():
    assert loss(STUDENT[:2], TEACHER[:2]) == pytest.approx(0, abs=1e-12)
