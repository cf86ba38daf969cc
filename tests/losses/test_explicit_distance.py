"""Angles between explicit codes against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import EVENTS, rotation
from scipy.spatial.distance import cosine

from harness.losses.explicit_distance import ExplicitDistance, ExplicitDistanceConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
AUDIO, VISION = DRAW.normal(size=(2, 8, 5))


def loss(audio, vision):
    parts = {"audio_explicit": torch.as_tensor(audio), "vision_explicit": torch.as_tensor(vision)}
    built = ExplicitDistance(ExplicitDistanceConfig(), EVENTS.info)
    return built(Outputs(parts=parts), EVENTS.train, None).item()


def test_it_is_the_mean_cosine_distance_of_a_clips_two_codes():
    expected = np.mean([cosine(a, v) for a, v in zip(AUDIO, VISION, strict=True)])
    assert loss(AUDIO, VISION) == pytest.approx(expected)


def test_it_is_half_the_squared_distance_of_codes_that_are_one_long():
    audio, vision = (values / np.linalg.norm(values, axis=1)[:, None] for values in (AUDIO, VISION))
    assert loss(audio, vision) == pytest.approx(np.mean(((audio - vision) ** 2).sum(1)) / 2)


def test_lengths_and_a_common_rotation_do_not_count():
    lengths, turn = DRAW.uniform(0.1, 10, size=(8, 1)), rotation(5)
    assert loss(lengths * AUDIO @ turn, VISION @ turn) == pytest.approx(loss(AUDIO, VISION))


def test_it_lies_between_nothing_for_one_direction_and_two_for_opposite_ones():
    assert loss(AUDIO, 2 * AUDIO) == pytest.approx(0, abs=1e-12)
    assert loss(AUDIO, -AUDIO) == pytest.approx(2)


def test_a_code_without_a_direction_is_one_away():
    assert loss(np.zeros((8, 5)), VISION) == 1
