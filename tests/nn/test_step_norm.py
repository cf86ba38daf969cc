"""Normalisation of each step against torch's of full sequences, and against NumPy of others."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from harness.nn.step_norm import StepNorm
from harness.types import Padded

LENGTHS = (3, 1, 4)


def padded(lengths=LENGTHS, longest=4, seed=0):
    draw = torch.Generator().manual_seed(seed)
    mask = torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)
    values = torch.randn(len(lengths), longest, 5, generator=draw) * 2 + 1
    return Padded(values * mask.unsqueeze(2), mask)


def scaled(norm):
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def test_of_clips_of_full_length_it_is_batch_normalisation_with_steps_as_channels():
    torch.manual_seed(0)
    norm, expected = scaled(StepNorm(4)), nn.BatchNorm1d(4)
    expected.load_state_dict(norm.state_dict())
    for seed in range(3):
        sequence = padded((4, 4, 4), seed=seed)
        assert_close(norm(sequence).values, expected(sequence.values))
    assert_close(norm.state_dict(), expected.state_dict())
    assert_close(norm.eval()(sequence).values, expected.eval()(sequence.values))


def test_a_step_is_normalised_over_the_clips_that_have_it():
    sequence = padded()
    found = StepNorm(4)(sequence).values.detach().numpy()
    values = sequence.values.numpy()
    for step, clips in enumerate(([0, 1, 2], [0, 2], [0, 2], [2])):
        there = values[clips, step].astype(float)
        expected = (there - there.mean()) / np.sqrt(there.var() + 1e-5)
        np.testing.assert_allclose(found[clips, step], expected, rtol=1e-4, atol=1e-5)


def test_padding_stays_zero_and_moves_no_statistic():
    norm, wide = scaled(StepNorm(6)), padded(longest=9)
    narrow = Padded(wide.values[:, :4], wide.mask[:, :4])
    found, again = norm(narrow), norm(wide)
    assert_close(found.values, again.values[:, :4])
    assert not again.values[~again.mask].any()
    assert norm.running_var[4:].tolist() == [1, 1]


def test_a_step_that_no_clip_of_the_batch_has_keeps_its_statistics():
    norm = StepNorm(4)
    norm(padded((0, 0)))
    assert norm.running_mean.tolist() == [0] * 4
    assert norm.running_var.tolist() == [1] * 4


def test_a_batch_of_one_clip_is_normalised_over_its_features():
    found = StepNorm(4)(padded((2,))).values[0, :2]
    assert_close(found.mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    assert_close(found.var(1, correction=0), torch.ones(2), atol=1e-3, rtol=0)


def test_a_longer_clip_than_there_can_be_is_refused():
    with pytest.raises(ValueError, match="up to 3 steps, given 4"):
        StepNorm(3)(padded())
