"""The plain student of retrieval against NumPy, and what it learns."""

import numpy as np
import pytest
import torch
from schooling import EVENTS, array, directions, fresh, linear, mean_average_precision, means, schooled

from harness.registry import STUDENTS
from harness.spec import BadInput

CLIPS = EVENTS.test


def build(**params):
    return fresh(STUDENTS, "two_tower", **params)


@pytest.mark.parametrize("view", ["audio", "vision"])
def test_a_vector_is_a_perceptron_of_the_mean_over_existing_steps(view):
    model = build(layers=3)
    first, second, last = (
        layer for layer in getattr(model.towers, view) if isinstance(layer, torch.nn.Linear)
    )
    hidden = np.maximum(linear(first, means(CLIPS, view)), 0)
    expected = linear(last, np.maximum(linear(second, hidden), 0))
    found = getattr(model(CLIPS), f"{view}_embedding")
    np.testing.assert_allclose(array(found), expected, rtol=1e-4, atol=1e-6)


def test_the_cosine_of_two_clips_is_the_mean_of_their_modalities_cosines():
    outputs = build()(CLIPS)
    audio, vision = (directions(array(v)) for v in (outputs.audio_embedding, outputs.vision_embedding))
    whole = array(outputs.embedding)
    np.testing.assert_allclose(whole @ whole.T, (audio @ audio.T + vision @ vision.T) / 2, atol=1e-6)
    assert whole.shape == (24, 16)


def test_one_layer_tells_the_class_from_either_vector_in_training():
    model = build().train()
    outputs = model(CLIPS)
    for view in ("audio", "vision"):
        expected = linear(model.classifier, array(getattr(outputs, f"{view}_embedding")))
        found = array(outputs.part(f"{view}_class_logits"))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_what_tells_classes_is_not_asked_when_clips_are_looked_for():
    model = build()
    before = model(CLIPS).embedding
    torch.nn.init.constant_(model.classifier.weight, torch.nan)
    assert model(CLIPS).embedding.equal(before)


def test_taught_the_classes_it_finds_clips_of_a_class():
    model = build()
    before = mean_average_precision(model)
    assert mean_average_precision(schooled(model, {"modal_ce": {}})) > max(0.8, before + 0.2)


def test_an_embedding_of_one_number_is_refused_because_all_angles_are_alike():
    with pytest.raises(BadInput, match="width"):
        build(width=1)
