"""The discrepancy of three modalities' codes against NumPy."""

from itertools import combinations

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.cmd import CMD, CMDConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
TEXT, VISION, AUDIO = DRAW.random((20, 5)), DRAW.random((20, 5)) ** 2, DRAW.random((20, 5)) / 2


def loss(text, vision, audio, **config):
    codes = {"text_shared": text, "vision_shared": vision, "audio_shared": audio}
    parts = {name: torch.as_tensor(values) for name, values in codes.items()}
    outputs = Outputs(torch.zeros(len(text)), parts=parts)
    return CMD(CMDConfig(**config), DATA.info)(outputs, DATA.train, None).item()


def moments(values, count):
    mean = values.mean(0)
    return [mean, *(((values - mean) ** order).mean(0) for order in range(2, count + 1))]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_it_is_the_mean_over_pairs_of_modalities(count):
    pairs = combinations([moments(values, count) for values in (TEXT, VISION, AUDIO)], 2)
    distances = [
        sum(np.linalg.norm(a - b) for a, b in zip(one, other, strict=True)) for one, other in pairs
    ]
    assert loss(TEXT, VISION, AUDIO, moments=count) == pytest.approx(np.mean(distances))


def test_the_five_moments_are_the_default():
    assert loss(TEXT, VISION, AUDIO) == loss(TEXT, VISION, AUDIO, moments=5)


def test_codes_of_the_same_distribution_cost_nothing_though_no_clip_has_the_same_code_twice():
    assert loss(TEXT, TEXT[::-1].copy(), np.roll(TEXT, 3, 0)) == pytest.approx(0, abs=1e-12)


def test_which_modality_is_which_does_not_count():
    assert loss(TEXT, VISION, AUDIO) == pytest.approx(loss(AUDIO, TEXT, VISION))


def test_means_at_the_ends_of_the_interval_cost_the_length_of_its_diagonal():
    zeros, ones = np.zeros((4, 9)), np.ones((4, 9))
    assert loss(zeros, ones, zeros) == pytest.approx(2 / 3 * 3)
