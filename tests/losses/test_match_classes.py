"""A teacher's classes as similarities, against loops over pairs."""

import numpy as np
import pytest
import torch
from loss_samples import rotation, softmax
from matching import EVENTS, certain, clips, cosines_by_hand, judging, searching

from harness.losses.match_classes import MatchClasses, MatchClassesConfig
from harness.losses.match_step2 import MatchStep2, MatchStep2Config
from harness.types import Outputs

CLASSES = [0, 1, 0, 2, 1, 0]
DRAW = np.random.default_rng(0)
LOGITS = DRAW.normal(size=(6, 3))
AUDIO, VISION = DRAW.normal(size=(2, 6, 5))


def loss(audio, vision, logits):
    built = MatchClasses(MatchClassesConfig(), EVENTS.info)
    advice = Outputs(class_logits=torch.as_tensor(logits))
    return built(searching(audio, vision), clips(CLASSES), advice).item()


def test_it_is_the_squared_distance_of_cosines_from_the_probability_of_sharing_a_class():
    wanted = softmax(LOGITS) @ softmax(LOGITS).T
    np.fill_diagonal(wanted, 1)
    expected = np.mean((cosines_by_hand(AUDIO, VISION) - wanted) ** 2)
    assert loss(AUDIO, VISION, LOGITS) == pytest.approx(expected)


def test_classes_that_are_orthogonal_are_what_a_certain_teacher_asks_for():
    directions = rotation(5)[CLASSES]
    assert loss(directions, directions, 50 * np.eye(3)[CLASSES]) == pytest.approx(0, abs=1e-9)


def test_of_a_certain_teacher_step_2_asks_the_same():
    step2 = MatchStep2(MatchStep2Config(), EVENTS.info)
    expected = step2(searching(AUDIO, VISION), clips(CLASSES), judging(certain(CLASSES)))
    assert loss(AUDIO, VISION, 50 * np.eye(3)[CLASSES]) == pytest.approx(expected.item())
