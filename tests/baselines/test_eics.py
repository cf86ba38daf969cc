"""The EICS-style baseline against NumPy."""

import numpy as np
import pytest
from schooling import (
    EVENTS,
    array,
    directions,
    fresh,
    linear,
    mean_average_precision,
    means,
    schooled,
)

from harness.registry import BASELINES

CLIPS = EVENTS.test


def build(**params):
    return fresh(BASELINES, "eics", **params)


def codes(model, view):
    """The explicit and the implicit code of a modality, by hand."""
    found = []
    for towers in (model.explicit, model.implicit):
        tower = getattr(towers, view)
        found.append(linear(tower[-1], np.maximum(linear(tower[0], means(CLIPS, view)), 0)))
    return found


@pytest.mark.parametrize("view", ["audio", "vision"])
def test_an_embedding_is_both_codes_one_long_each_side_by_side_over_the_root_of_two(view):
    model = build()
    explicit, implicit = codes(model, view)
    expected = np.hstack((directions(explicit), directions(implicit))) / np.sqrt(2)
    found = getattr(model(CLIPS), f"{view}_embedding")
    np.testing.assert_allclose(array(found), expected, rtol=1e-4, atol=1e-5)


def test_in_training_it_hands_out_explicit_codes_and_what_implicit_ones_say_of_the_class():
    model = build().train()
    outputs = model(CLIPS)
    for view in ("audio", "vision"):
        explicit, implicit = codes(model, view)
        np.testing.assert_allclose(array(outputs.part(f"{view}_explicit")), explicit, atol=1e-5)
        expected = linear(model.classifier, implicit)
        np.testing.assert_allclose(array(outputs.part(f"{view}_class_logits")), expected, atol=1e-5)


def test_codes_pulled_together_bring_a_clips_sound_and_pictures_together():
    model = build()

    def nearness(found):
        return (array(found.audio_embedding) * array(found.vision_embedding)).sum(1).mean()

    before = nearness(model(CLIPS))
    losses = {"explicit_distance": {}, "modal_ce": {}, "cross_triplet": {}}
    model = schooled(model, losses)
    assert nearness(model(CLIPS)) > before
    assert mean_average_precision(model) > 0.8
