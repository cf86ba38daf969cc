"""Cross-entropy of two modalities against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import EVENTS, softmax

from harness.losses.modal_ce import ModalCE, ModalCEConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
AUDIO, VISION = DRAW.normal(size=(2, 48, 4))
LABEL = EVENTS.train.target.numpy()
RIGHT = np.eye(4)[LABEL]


def loss(audio, vision):
    parts = {
        "audio_class_logits": torch.as_tensor(audio),
        "vision_class_logits": torch.as_tensor(vision),
    }
    return ModalCE(ModalCEConfig(), EVENTS.info)(Outputs(parts=parts), EVENTS.train, None).item()


def surprise(logits):
    return np.mean([-np.log(softmax(logits)[row, label]) for row, label in enumerate(LABEL)])


def test_it_is_the_mean_surprise_of_both_modalities_at_the_label():
    assert loss(AUDIO, VISION) == pytest.approx((surprise(AUDIO) + surprise(VISION)) / 2)


def test_a_modality_that_knows_nothing_pays_half_the_logarithm_of_the_number_of_classes():
    assert loss(np.zeros((48, 4)), 50 * RIGHT) == pytest.approx(np.log(4) / 2)


def test_modalities_count_alike():
    assert loss(AUDIO, VISION) == pytest.approx(loss(VISION, AUDIO))
