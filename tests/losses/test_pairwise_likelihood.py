"""The likelihood of pairs against loops."""

import itertools

import numpy as np
import pytest
import torch
from loss_samples import EVENTS, rotation

from harness.losses.pairwise_likelihood import PairwiseLikelihood, PairwiseLikelihoodConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
AUDIO, VISION = DRAW.normal(size=(2, 8, 5))
BATCH = EVENTS.train.take(torch.arange(8))
LABEL = BATCH.target.tolist()
RIGHT = np.eye(4)[LABEL]


def loss(audio, vision, scale=0.5):
    built = PairwiseLikelihood(PairwiseLikelihoodConfig(scale=scale), EVENTS.info)
    found = Outputs(audio_embedding=torch.as_tensor(audio), vision_embedding=torch.as_tensor(vision))
    return built(found, BATCH, None).item()


def cosine(one, other):
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def surprise(vectors, others, scale):
    """The mean of log(1 + e^Γ) - S Γ over all ordered pairs, a clip with itself among them."""
    found = []
    for i, j in itertools.product(range(8), repeat=2):
        likeness = scale * cosine(vectors[i], others[j])
        found.append(np.log1p(np.exp(likeness)) - (LABEL[i] == LABEL[j]) * likeness)
    return np.mean(found)


@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_it_is_the_surprise_at_equal_classes_between_and_within_modalities(scale):
    ways = ((AUDIO, VISION), (AUDIO, AUDIO), (VISION, VISION))
    expected = sum(surprise(one, other, scale) for one, other in ways)
    assert loss(AUDIO, VISION, scale) == pytest.approx(expected)


def test_it_is_the_cross_entropy_of_a_logistic_probability():
    same = np.equal.outer(LABEL, LABEL)
    alike = [[cosine(a, b) for b in RIGHT] for a in RIGHT]
    share = 1 / (1 + np.exp(-0.5 * np.array(alike)))
    expected = -np.log(np.where(same, share, 1 - share)).mean()
    assert loss(RIGHT, RIGHT) == pytest.approx(3 * expected)


def test_lengths_and_a_common_rotation_do_not_count():
    turn, lengths = rotation(5), DRAW.uniform(0.1, 10, size=(8, 1))
    assert loss(lengths * AUDIO @ turn, VISION @ turn) == pytest.approx(loss(AUDIO, VISION))


def test_classes_apart_cost_less_than_all_clips_in_one_place_and_than_classes_mixed_up():
    mixed = np.roll(RIGHT, 1, axis=0)
    together = np.ones((8, 4))
    assert loss(RIGHT, RIGHT) < loss(together, together)
    assert loss(RIGHT, RIGHT) < loss(RIGHT, mixed)
