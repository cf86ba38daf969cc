"""Similarity matrices against loops."""

import numpy as np
import pytest
from loss_samples import DATA, of_embedding, rotation

from harness.losses.similarity_preserving import SimilarityPreserving, SimilarityPreservingConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(8, 5)), DRAW.normal(size=(8, 6))


def loss(student, teacher):
    built = SimilarityPreserving(SimilarityPreservingConfig(), DATA.info)
    return built(of_embedding(student), DATA.train, of_embedding(teacher)).item()


def by_hand(embedding):
    rows = np.array([[sum(a * b) for b in embedding] for a in embedding])
    return np.array([row / np.sqrt(sum(row**2)) for row in rows])


def test_it_is_the_mean_squared_difference_of_row_normalised_products():
    expected = ((by_hand(STUDENT) - by_hand(TEACHER)) ** 2).sum() / 8**2
    assert loss(STUDENT, TEACHER) == pytest.approx(expected)


def test_the_same_embeddings_cost_nothing():
    assert loss(TEACHER, TEACHER) == pytest.approx(0, abs=1e-12)


def test_rotations_and_a_common_scale_do_not_count():
    assert loss(1e-6 * TEACHER @ rotation(6), TEACHER) == pytest.approx(0, abs=1e-12)
    assert loss(1e6 * STUDENT @ rotation(5), TEACHER) == pytest.approx(loss(STUDENT, TEACHER))


def test_two_clips_that_are_alike_to_one_side_and_opposite_to_the_other_cost_one():
    alike, opposite = np.array([[1.0], [1.0]]), np.array([[1.0], [-1.0]])
    assert loss(opposite, alike) == pytest.approx(1)


def test_a_zero_embedding_resembles_nothing():
    nothing = STUDENT.copy()
    nothing[0] = 0
    expected = by_hand(STUDENT[1:]) - by_hand(TEACHER)[1:, 1:]
    known = np.square(expected).sum() + np.square(by_hand(TEACHER)[0]).sum()
    known += np.square(by_hand(TEACHER)[1:, 0]).sum()
    assert loss(nothing, TEACHER) == pytest.approx(known / 8**2)
