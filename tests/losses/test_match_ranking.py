"""Lists of a teacher's match scores against loops over queries."""

import numpy as np
import pytest
from loss_samples import softmax
from matching import EVENTS, certain, clips, cosines_by_hand, judging, scores_by_hand, searching

from harness.losses.match_ranking import MatchRanking, MatchRankingConfig

CLASSES = [0, 1, 0, 2, 1, 0]
DRAW = np.random.default_rng(0)
FACTORS = DRAW.normal(size=(6, 4))
AUDIO, VISION = DRAW.normal(size=(2, 6, 5))


def loss(audio, vision, factors, **params):
    built = MatchRanking(MatchRankingConfig(**params), EVENTS.info)
    return built(searching(audio, vision), clips(CLASSES), judging(factors)).item()


def divergence(wanted, found):
    return sum(p * np.log(p / q) for p, q in zip(wanted, found, strict=True))


def test_it_is_the_divergence_of_each_querys_list_in_both_directions():
    scores = scores_by_hand(FACTORS)
    np.fill_diagonal(scores, 1)
    wanted, cosines = softmax(scores / 0.3), cosines_by_hand(AUDIO, VISION)
    by_sound, by_pictures = softmax(cosines / 0.2), softmax(cosines.T / 0.2)
    each = [divergence(wanted[i], lists[i]) for lists in (by_sound, by_pictures) for i in range(6)]
    found = loss(AUDIO, VISION, FACTORS, temperature=0.2, teacher_temperature=0.3)
    assert found == pytest.approx(np.mean(each))


def test_similarities_that_are_the_match_scores_cost_nothing():
    own = np.eye(3)[CLASSES]
    assert loss(own, own, certain(CLASSES)) == pytest.approx(0, abs=1e-9)


def test_the_lists_count_and_not_what_all_similarities_have_in_common():
    own = np.eye(3)[CLASSES]
    # A direction that all clips share halves every difference of cosines and lifts all of them.
    lifted = np.column_stack((own, np.ones(6)))
    found = loss(lifted, lifted, certain(CLASSES), temperature=0.1, teacher_temperature=0.2)
    assert found == pytest.approx(0, abs=1e-9)


def test_a_cold_teacher_is_copied_where_it_is_sure_and_a_hot_one_asks_for_nothing():
    own = np.eye(3)[CLASSES]
    same = np.ones((6, 1))
    assert loss(same, same, certain(CLASSES), teacher_temperature=1e3) == pytest.approx(0, abs=1e-6)
    assert loss(own, own, certain(CLASSES), teacher_temperature=1e3) > 0.1
