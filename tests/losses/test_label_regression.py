"""Distances in label space against loops."""

import numpy as np
import pytest
import torch
from loss_samples import EVENTS

from harness.losses.label_regression import LabelRegression, LabelRegressionConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
AUDIO, VISION = DRAW.normal(size=(2, 48, 4))
RIGHT = np.eye(4)[EVENTS.train.target.numpy()]


def outputs(audio, vision):
    return Outputs(parts={"audio_class_logits": audio, "vision_class_logits": vision})


def loss(audio, vision, squared=False):
    built = LabelRegression(LabelRegressionConfig(squared=squared), EVENTS.info)
    return built(outputs(*map(torch.as_tensor, (audio, vision))), EVENTS.train, None).item()


@pytest.mark.parametrize(("squared", "power"), [(False, 1), (True, 2)])
def test_it_is_the_mean_distance_from_the_one_hot_label_summed_over_modalities(squared, power):
    found = [
        np.sqrt(sum((p - y) ** 2 for p, y in zip(predicted, label, strict=True))) ** power
        for predictions in (AUDIO, VISION)
        for predicted, label in zip(predictions, RIGHT, strict=True)
    ]
    assert loss(AUDIO, VISION, squared) == pytest.approx(np.sum(found) / 48)


def test_the_right_labels_cost_nothing_and_are_not_pulled():
    audio = torch.tensor(RIGHT, requires_grad=True)
    value = LabelRegression(LabelRegressionConfig(), EVENTS.info)(
        outputs(audio, torch.tensor(RIGHT)), EVENTS.train, None
    )
    value.backward()
    assert value.item() == 0
    assert not audio.grad.any()


def test_a_prediction_of_nothing_is_one_away_from_every_label():
    assert loss(np.zeros((48, 4)), RIGHT) == pytest.approx(1)


def test_a_certain_mistake_is_the_root_of_two_away():
    assert loss(np.roll(RIGHT, 1, axis=1), RIGHT) == pytest.approx(np.sqrt(2))
