"""Step 2 of retrieval against loops over pairs."""

import numpy as np
import pytest
from loss_samples import rotation
from matching import EVENTS, certain, clips, cosines_by_hand, judging, scores_by_hand, searching

from harness.losses.match_step2 import MatchStep2, MatchStep2Config

CLASSES = [0, 1, 0, 2, 1, 0]
DRAW = np.random.default_rng(0)
FACTORS = DRAW.normal(size=(6, 4))
AUDIO, VISION = DRAW.normal(size=(2, 6, 5))


def loss(audio, vision, factors, **params):
    built = MatchStep2(MatchStep2Config(**params), EVENTS.info)
    return built(searching(audio, vision), clips(CLASSES), judging(factors)).item()


def wanted():
    scores = scores_by_hand(FACTORS)
    np.fill_diagonal(scores, 1)
    return scores


def test_it_is_the_mean_squared_distance_of_cosines_from_match_scores():
    expected = np.mean((cosines_by_hand(AUDIO, VISION) - wanted()) ** 2)
    assert loss(AUDIO, VISION, FACTORS) == pytest.approx(expected)


def test_within_modalities_different_clips_count_and_the_three_means_are_averaged():
    apart = ~np.eye(6, dtype=bool)
    across = np.mean((cosines_by_hand(AUDIO, VISION) - wanted()) ** 2)
    inside = [np.mean((cosines_by_hand(x, x) - wanted())[apart] ** 2) for x in (AUDIO, VISION)]
    found = loss(AUDIO, VISION, FACTORS, within=True)
    assert found == pytest.approx((across + sum(inside)) / 3)


@pytest.mark.parametrize("within", [False, True])
def test_classes_that_are_orthogonal_are_what_a_certain_teacher_asks_for(within):
    directions = rotation(5)[CLASSES]
    found = loss(directions, 3 * directions, certain(CLASSES), within=within)
    assert found == pytest.approx(0, abs=1e-9)


def test_classes_that_are_opposite_are_further_away_than_orthogonal_ones():
    two = [0, 1, 0, 1, 1, 0]
    opposite, orthogonal = np.array([[1.0], [-1.0]])[two], np.eye(2)[two]
    assert loss(opposite, opposite, certain(two)) == pytest.approx(0.5)
    assert loss(orthogonal, orthogonal, certain(two)) == pytest.approx(0)


def test_the_lengths_and_a_common_rotation_of_the_embeddings_do_not_count():
    lengths = DRAW.uniform(0.1, 10, size=(6, 1))
    turned = loss(lengths * AUDIO @ rotation(5), VISION @ rotation(5), FACTORS)
    assert turned == pytest.approx(loss(AUDIO, VISION, FACTORS))


def test_a_clip_and_its_own_pictures_belong_together_even_if_the_teacher_denies_it():
    denying = np.full((6, 1), -40.0)
    own = np.eye(6)
    assert loss(own, own, denying) == pytest.approx(0, abs=1e-9)
