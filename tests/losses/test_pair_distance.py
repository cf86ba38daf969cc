"""Distances between a clip's sound and pictures against loops."""

import numpy as np
import pytest
import torch
from loss_samples import EVENTS, rotation

from harness.losses.pair_distance import PairDistance, PairDistanceConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
AUDIO, VISION = DRAW.normal(size=(2, 8, 5))


def outputs(audio, vision):
    return Outputs(audio_embedding=torch.as_tensor(audio), vision_embedding=torch.as_tensor(vision))


def loss(audio, vision):
    built = PairDistance(PairDistanceConfig(), EVENTS.info)
    return built(outputs(audio, vision), EVENTS.train, None).item()


def test_it_is_the_mean_euclidean_distance_of_a_clips_two_vectors():
    found = [
        np.sqrt(sum((a - v) ** 2 for a, v in zip(audio, vision, strict=True)))
        for audio, vision in zip(AUDIO, VISION, strict=True)
    ]
    assert loss(AUDIO, VISION) == pytest.approx(np.mean(found))


def test_a_shift_and_a_rotation_of_both_do_not_count_but_their_scale_does():
    turn, shift = rotation(5), DRAW.normal(size=5)
    assert loss(AUDIO @ turn + shift, VISION @ turn + shift) == pytest.approx(loss(AUDIO, VISION))
    assert loss(3 * AUDIO, 3 * VISION) == pytest.approx(3 * loss(AUDIO, VISION))


def test_equal_vectors_cost_nothing_and_are_not_pulled():
    audio = torch.tensor(AUDIO, requires_grad=True)
    found = outputs(audio, AUDIO)
    value = PairDistance(PairDistanceConfig(), EVENTS.info)(found, EVENTS.train, None)
    value.backward()
    assert value.item() == 0
    assert not audio.grad.any()
