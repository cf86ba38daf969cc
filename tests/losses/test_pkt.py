"""Neighbour probabilities against loops."""

import numpy as np
import pytest
from loss_samples import DATA, of_embedding, rotation

from harness.losses.pkt import PKT, PKTConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(8, 5)), DRAW.normal(size=(8, 6))


def loss(student, teacher):
    built = PKT(PKTConfig(), DATA.info)
    return built(of_embedding(student), DATA.train, of_embedding(teacher)).item()


def kernel(a, b):
    return (a @ b / np.sqrt(a @ a) / np.sqrt(b @ b) + 1) / 2


def neighbour(x, i, j):
    return kernel(x[i], x[j]) / sum(kernel(x[i], x[k]) for k in range(len(x)) if k != i)


def test_it_is_the_divergence_of_the_probabilities_of_each_clips_neighbours():
    expected = 0.0
    for i in range(8):
        for j in set(range(8)) - {i}:
            p, q = neighbour(TEACHER, i, j), neighbour(STUDENT, i, j)
            expected += p * np.log(p / q) / 8
    assert loss(STUDENT, TEACHER) == pytest.approx(expected, rel=1e-5)


def test_the_same_embeddings_cost_nothing():
    assert loss(TEACHER, TEACHER) == pytest.approx(0, abs=1e-12)


def test_rotations_and_the_length_of_any_embedding_do_not_count():
    scale = DRAW.uniform(0.1, 10, size=(8, 1))
    assert loss(scale * STUDENT @ rotation(5), TEACHER) == pytest.approx(loss(STUDENT, TEACHER))


def test_two_clips_have_one_neighbour_each():
    assert loss(STUDENT[:2], TEACHER[:2]) == pytest.approx(0, abs=1e-12)


def test_a_neighbour_that_the_student_holds_opposite_is_dear_but_finite():
    opposite, near = np.array([[1.0], [-1.0], [1.0]]), np.array([[1.0], [1.0], [1.0]])
    assert 1 < loss(opposite, near) < 50
