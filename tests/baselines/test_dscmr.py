"""DSCMR against its formulas in NumPy."""

import numpy as np
import pytest
from schooling import (
    EVENTS,
    array,
    build_loss,
    directions,
    fresh,
    linear,
    mean_average_precision,
    means,
    schooled,
)

from harness.registry import BASELINES

CLIPS = EVENTS.train
LOSSES = {
    "label_regression": {},
    "pairwise_likelihood": {"weight": 1e-3},
    "pair_distance": {"weight": 0.1},
}


def build(**params):
    return fresh(BASELINES, "dscmr", **params)


def embeddings(model):
    """u and v: a rectified layer of each modality's own, then one layer for both."""
    own = {view: getattr(model.own, view)[0] for view in ("audio", "vision")}
    return [
        linear(model.common, np.maximum(linear(layer, means(CLIPS, view)), 0))
        for view, layer in own.items()
    ]


def test_a_vector_is_the_common_layer_of_a_rectified_one():
    model = build()
    outputs = model(CLIPS)
    for found, expected in zip(
        (outputs.audio_embedding, outputs.vision_embedding), embeddings(model), strict=True
    ):
        np.testing.assert_allclose(array(found), expected, rtol=1e-4, atol=1e-5)


def objective(model, alpha, beta):
    """J1 + alpha J2 + beta J3 of the paper, with means of each clip's distance."""
    u, v = embeddings(model)
    label = np.eye(4)[CLIPS.target.numpy()]
    regression = sum(np.linalg.norm(linear(model.classifier, w) - label, axis=1).mean() for w in (u, v))
    same, likelihood = label @ label.T, 0.0
    for one, other in ((u, v), (u, u), (v, v)):
        likeness = directions(one) @ directions(other).T / 2
        likelihood += (np.log(1 + np.exp(likeness)) - same * likeness).mean()
    invariance = np.linalg.norm(u - v, axis=1).mean()
    return regression + alpha * likelihood + beta * invariance


@pytest.mark.parametrize(("alpha", "beta"), [(1e-3, 0.1), (2.0, 0.5)])
def test_its_losses_are_the_papers_objective(alpha, beta):
    model = build().train()
    weights = {"label_regression": 1.0, "pairwise_likelihood": alpha, "pair_distance": beta}
    outputs = model(CLIPS)
    found = sum(w * build_loss(name, {})(outputs, CLIPS, None) for name, w in weights.items())
    assert found.item() == pytest.approx(objective(model, alpha, beta), rel=1e-5)


def test_trained_as_published_it_finds_clips_of_a_class():
    model = build()
    before = mean_average_precision(model)
    assert mean_average_precision(schooled(model, LOSSES)) > max(0.8, before + 0.2)


def test_the_likelihood_of_pairs_alone_already_separates_classes():
    model = schooled(build(), {"pairwise_likelihood": {}})
    assert mean_average_precision(model) > 0.8
