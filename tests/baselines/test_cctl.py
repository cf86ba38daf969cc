"""The CCTL-style baseline against NumPy: sounds and pictures meet in the space of labels."""

import numpy as np
import pytest
import torch
from schooling import EVENTS, array, fresh, linear, mean_average_precision, means, schooled

from harness.registry import BASELINES

CLIPS = EVENTS.test
LOSSES = {"label_regression": {}, "cross_triplet": {"within": True}}


def build(**params):
    return fresh(BASELINES, "cctl", **params)


@pytest.mark.parametrize("view", ["audio", "vision"])
def test_a_vector_has_a_number_a_class_after_layers_of_the_modalitys_own(view):
    model = build()
    tower = [layer for layer in getattr(model.towers, view) if isinstance(layer, torch.nn.Linear)]
    state = means(CLIPS, view)
    for layer in tower:
        state = np.maximum(linear(layer, state), 0)
    expected = linear(getattr(model, view), state)
    found = array(getattr(model(CLIPS), f"{view}_embedding"))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert found.shape == (24, len(EVENTS.info.classes))


def test_what_is_compared_is_the_label_that_is_predicted():
    outputs = build().train()(CLIPS)
    assert outputs.part("audio_class_logits").equal(outputs.audio_embedding)
    assert outputs.part("vision_class_logits").equal(outputs.vision_embedding)


def test_trained_in_label_space_its_largest_number_is_the_class_and_clips_of_it_are_found():
    model = build()
    before = mean_average_precision(model)
    model = schooled(model, LOSSES)
    outputs = model(EVENTS.train)
    right = (outputs.vision_embedding.argmax(1) == EVENTS.train.target).double().mean()
    assert right > 0.8
    assert mean_average_precision(model) > max(0.7, before + 0.2)
