"""The discriminator's cross-entropy against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA, softmax

from harness.losses.domain_adversarial import DomainAdversarial, DomainAdversarialConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
LOGITS = DRAW.normal(size=(3, 24, 3))


def loss(logits):
    names = ("text_domain", "vision_domain", "audio_domain")
    parts = {name: torch.as_tensor(values) for name, values in zip(names, logits, strict=True)}
    found = DomainAdversarial(DomainAdversarialConfig(), DATA.info)
    return found(Outputs(torch.zeros(24), parts=parts), DATA.train, None).item()


def test_it_is_the_mean_surprise_at_the_right_modality():
    surprises = [-np.log(softmax(logits)[:, modality]) for modality, logits in enumerate(LOGITS)]
    assert loss(LOGITS) == pytest.approx(np.mean(surprises))


def test_a_discriminator_that_knows_nothing_pays_the_logarithm_of_three():
    assert loss(np.zeros((3, 24, 3))) == pytest.approx(np.log(3))


def test_a_discriminator_that_is_right_and_certain_pays_nothing():
    assert loss(50 * np.eye(3)[:, None].repeat(24, 1)) == pytest.approx(0, abs=1e-12)
