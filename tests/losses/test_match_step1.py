"""Step 1 of retrieval against loops over pairs."""

import numpy as np
import pytest
import torch
from loss_samples import softmax
from matching import EVENTS, certain, clips, scores_by_hand

from harness.losses.match_step1 import MatchStep1, MatchStep1Config
from harness.types import Outputs

CLASSES = [0, 1, 0, 2, 1, 0]
DRAW = np.random.default_rng(0)
FACTORS, LOGITS = DRAW.normal(size=(6, 4)), DRAW.normal(size=(6, 3))


def outputs(factors, logits):
    return Outputs(match=torch.as_tensor(factors), class_logits=torch.as_tensor(logits))


def loss(factors, logits):
    built = MatchStep1(MatchStep1Config(), EVENTS.info)
    return built(outputs(factors, logits), clips(CLASSES), None)


def test_it_is_the_squared_distance_from_the_probability_of_sharing_a_class():
    shares, scores = softmax(LOGITS), scores_by_hand(FACTORS)
    errors = [(scores[i, j] - shares[i] @ shares[j]) ** 2 for i in range(6) for j in range(6) if i != j]
    assert loss(FACTORS, LOGITS).item() == pytest.approx(np.mean(errors))


def test_certain_classes_and_the_match_scores_that_follow_cost_nothing():
    assert loss(certain(CLASSES), 50 * np.eye(3)[CLASSES]).item() == pytest.approx(0, abs=1e-9)


def test_classes_that_are_all_alike_ask_for_one_in_k():
    bias = np.log(1 / 2)  # sigmoid(bias) = 1/3
    assert loss(np.full((6, 1), bias), np.zeros((6, 3))).item() == pytest.approx(0, abs=1e-12)


def test_the_classes_are_not_trained():
    found = outputs(FACTORS, LOGITS)
    found.match.requires_grad_()
    found.class_logits.requires_grad_()
    MatchStep1(MatchStep1Config(), EVENTS.info)(found, clips(CLASSES), None).backward()
    assert found.class_logits.grad is None
    assert found.match.grad.any()
