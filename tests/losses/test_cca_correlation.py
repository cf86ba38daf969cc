"""Correlation of a batch against scikit-learn, and against the paper's formula in NumPy."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.cross_decomposition import CCA

from harness.losses.cca_correlation import CcaCorrelation, CcaCorrelationConfig
from harness.types import Batch, Outputs


def views(count=60, audio_width=4, vision_width=5, seed=0):
    """Two views of two shared factors, each with noise."""
    draw = np.random.default_rng(seed)
    shared = draw.normal(size=(count, 2))
    return (
        shared @ draw.normal(size=(2, width)) + draw.normal(size=(count, width))
        for width in (audio_width, vision_width)
    )


def clips(count):
    names = tuple(f"clip{n}" for n in range(count))
    return Batch(names, names, torch.zeros(count, dtype=torch.int64))


def loss(audio, vision, ridge=1e-9):
    outputs = Outputs(audio_embedding=torch.tensor(audio), vision_embedding=torch.tensor(vision))
    measure = CcaCorrelation(CcaCorrelationConfig(ridge=ridge), None)
    return measure(outputs, clips(len(audio)), None).item()


def test_it_is_the_width_less_the_correlations_that_scikit_learn_finds():
    audio, vision = views()
    variates = CCA(4, max_iter=20000, tol=1e-12).fit_transform(audio, vision)
    found = [np.corrcoef(*(side[:, one] for side in variates))[0, 1] for one in range(4)]
    assert loss(audio, vision) == pytest.approx(4 - sum(found), abs=1e-5)


def test_it_is_the_trace_norm_of_the_paper():
    audio, vision = views()
    ridge = 0.1
    centred = [side - side.mean(0) for side in (audio, vision)]
    roots = []
    for side in centred:
        covariance = side.T @ side / len(side)
        added = ridge * np.trace(covariance) / len(covariance)
        roots.append(np.linalg.inv(sqrtm(covariance + added * np.eye(len(covariance)))))
    whitened = roots[0] @ (centred[0].T @ centred[1] / len(audio)) @ roots[1]
    assert loss(audio, vision, ridge) == pytest.approx(4 - np.linalg.norm(whitened, "nuc"))


def test_linear_maps_of_either_view_do_not_count():
    audio, vision = views()
    draw = np.random.default_rng(1)
    moved = loss(audio @ draw.normal(size=(4, 4)) + 3, vision @ draw.normal(size=(5, 5)) - 2)
    assert moved == pytest.approx(loss(audio, vision), abs=1e-5)


def test_views_that_are_maps_of_each_other_cost_nothing():
    audio, _ = views()
    turn = np.random.default_rng(1).normal(size=(4, 4))
    assert loss(audio, audio @ turn) == pytest.approx(0, abs=1e-5)


def test_independent_views_cost_nearly_the_width():
    audio, vision = np.random.default_rng(0).normal(size=(2, 20000, 3))
    assert loss(audio, vision) == pytest.approx(3, abs=0.1)


def test_a_batch_smaller_than_the_width_is_told_from_a_perfect_one_by_the_ridge():
    audio, vision = np.random.default_rng(0).normal(size=(2, 6, 20))
    rank = 5
    assert loss(audio, vision) == pytest.approx(20 - rank, abs=1e-4)
    assert loss(audio, vision, ridge=1.0) > 20 - rank + 0.5
