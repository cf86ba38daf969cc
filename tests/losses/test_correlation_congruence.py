"""The expanded Gaussian kernel against loops, and against the kernel itself."""

import numpy as np
import pytest
from loss_samples import DATA, of_embedding, rotation
from scipy.special import factorial

from harness.losses.correlation_congruence import CorrelationCongruence, CorrelationCongruenceConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(8, 5)), DRAW.normal(size=(8, 6))


def loss(student, teacher, **config):
    built = CorrelationCongruence(CorrelationCongruenceConfig(**config), DATA.info)
    return built(of_embedding(student), DATA.train, of_embedding(teacher)).item()


def directions(embedding):
    return np.array([vector / np.sqrt(vector @ vector) for vector in embedding])


def expanded(embedding, gamma, order):
    kernel = np.zeros((len(embedding), len(embedding)))
    for i, x in enumerate(directions(embedding)):
        for j, y in enumerate(directions(embedding)):
            for p in range(order + 1):
                kernel[i, j] += np.exp(-2 * gamma) * (2 * gamma) ** p / factorial(p) * (x @ y) ** p
    return kernel


def gaussian(embedding, gamma):
    unit = directions(embedding)
    return np.exp(-gamma * np.array([[(x - y) @ (x - y) for y in unit] for x in unit]))


@pytest.mark.parametrize(("gamma", "order"), [(0.4, 2), (0.4, 1), (2.0, 5)])
def test_it_is_the_mean_squared_difference_of_expanded_kernels(gamma, order):
    expected = np.mean((expanded(STUDENT, gamma, order) - expanded(TEACHER, gamma, order)) ** 2)
    assert loss(STUDENT, TEACHER, gamma=gamma, order=order) == pytest.approx(expected)


def test_expanded_far_enough_it_is_the_gaussian_kernel():
    expected = np.mean((gaussian(STUDENT, 0.4) - gaussian(TEACHER, 0.4)) ** 2)
    assert loss(STUDENT, TEACHER, gamma=0.4, order=16) == pytest.approx(expected)


def test_the_same_embeddings_cost_nothing():
    assert loss(TEACHER, TEACHER) == pytest.approx(0, abs=1e-12)


def test_rotations_and_the_length_of_any_embedding_do_not_count():
    scale = DRAW.uniform(0.1, 10, size=(8, 1))
    assert loss(scale * STUDENT @ rotation(5), TEACHER) == pytest.approx(loss(STUDENT, TEACHER))


def test_of_first_order_it_compares_cosines():
    cosines = [directions(side) @ directions(side).T for side in (STUDENT, TEACHER)]
    expected = (np.exp(-0.8) * 0.8) ** 2 * np.mean((cosines[0] - cosines[1]) ** 2)
    assert loss(STUDENT, TEACHER, gamma=0.4, order=1) == pytest.approx(expected)
