"""Match scores of pairs against loops."""

import numpy as np
import pytest
import torch
from matching import cosines_by_hand, judging, scores_by_hand, searching

from harness.nn.compare.match import (
    cosines,
    match_factors,
    match_logits,
    match_targets,
    same_class,
    within_modalities,
)
from harness.types import Outputs

DRAW = np.random.default_rng(0)
FACTORS = DRAW.normal(size=(6, 4))


def test_the_score_of_a_pair_is_symmetric_and_made_of_both_clips_factors():
    found = match_logits(torch.as_tensor(FACTORS)).sigmoid()
    np.testing.assert_allclose(found, scores_by_hand(FACTORS))
    assert found.equal(found.T)


def test_factors_of_a_scale_and_a_bias_give_the_scaled_cosine():
    directions = torch.nn.functional.normalize(torch.as_tensor(DRAW.normal(size=(6, 3))))
    scale, bias = torch.tensor(7.0), torch.tensor(-2.0)
    found = match_logits(match_factors(directions, scale, bias))
    np.testing.assert_allclose(found, 7 * directions @ directions.T - 2, atol=1e-6)


def test_a_clip_is_of_its_own_class_whatever_the_teacher_says():
    found = match_targets(judging(FACTORS)).numpy()
    expected = scores_by_hand(FACTORS)
    np.fill_diagonal(expected, 1)
    np.testing.assert_allclose(found, expected)


def test_without_a_teacher_there_is_nothing_to_be_learnt():
    with pytest.raises(ValueError, match="no advice"):
        match_targets(None)
    with pytest.raises(ValueError, match="'match' is missing"):
        match_targets(Outputs(torch.zeros(3)))


def test_clips_share_a_class_as_often_as_independent_draws_do():
    shares = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    found = same_class(torch.as_tensor(np.log(shares)))
    together = 0.5 * 0.1 + 0.3 * 0.1 + 0.2 * 0.8
    np.testing.assert_allclose(found, [[0.38, together], [together, 0.66]])


def test_sounds_are_rows_and_pictures_are_columns():
    audio, vision = DRAW.normal(size=(2, 5, 3))
    found = searching(audio, vision)
    np.testing.assert_allclose(cosines(found), cosines_by_hand(audio, vision))
    np.testing.assert_allclose(within_modalities(found)[0], cosines_by_hand(audio, audio))
    np.testing.assert_allclose(within_modalities(found)[1], cosines_by_hand(vision, vision))


def test_a_zero_vector_resembles_nothing():
    audio, vision = np.zeros((1, 3)), np.ones((1, 3))
    assert cosines(searching(audio, vision)).item() == 0
