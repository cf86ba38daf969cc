"""ACMR against NumPy, and whether its adversary does what it is for."""

import numpy as np
import pytest
import torch
from schooling import (
    EVENTS,
    array,
    build_loss,
    fresh,
    linear,
    mean_average_precision,
    means,
    schooled,
    step,
)

from harness.registry import BASELINES

CLIPS = EVENTS.test


def build(**params):
    return fresh(BASELINES, "acmr", **params)


@pytest.mark.parametrize("view", ["audio", "vision"])
def test_a_vector_is_hyperbolic_tangents_all_the_way(view):
    model = build()
    state = means(CLIPS, view)
    layers = [layer for layer in getattr(model, view) if isinstance(layer, torch.nn.Linear)]
    for layer in layers:
        state = np.tanh(linear(layer, state))
    found = array(getattr(model(CLIPS), f"{view}_embedding"))
    np.testing.assert_allclose(found, state, rtol=1e-4, atol=1e-6)
    assert len(layers) == 3
    assert abs(found).max() < 1


def test_one_linear_layer_predicts_the_class_from_either_vector():
    model = build().train()
    outputs = model(CLIPS)
    for view in ("audio", "vision"):
        expected = linear(model.classifier, array(getattr(outputs, f"{view}_embedding")))
        np.testing.assert_allclose(array(outputs.part(f"{view}_class_logits")), expected, atol=1e-5)


def surprise(model):
    """What an opponent pays that learns to tell the modalities of the finished embeddings."""
    torch.manual_seed(7)
    loss = build_loss("modality_adversarial", {})
    with torch.no_grad():
        outputs = model(EVENTS.train)
    loss.adapt(outputs, None, EVENTS.train)
    for _ in range(200):
        step(loss.opponent(), loss.opponent_loss(outputs, EVENTS.train), 0.3)
    return loss.opponent_loss(outputs, EVENTS.train).item()


def test_trained_against_an_opponent_its_modalities_are_harder_to_tell_apart():
    plain, against = {"modal_ce": {}}, {"modal_ce": {}, "modality_adversarial": {"weight": 0.3}}
    alone, opposed = (
        schooled(build(layers=2), losses, steps=100, rate=0.5) for losses in (plain, against)
    )
    assert surprise(opposed) > 2 * surprise(alone)


def test_trained_it_finds_clips_of_a_class():
    model = build()
    before = mean_average_precision(model)
    losses = {"modal_ce": {}, "cross_triplet": {}, "modality_adversarial": {"weight": 0.1}}
    assert mean_average_precision(schooled(model, losses)) > max(0.8, before + 0.2)
