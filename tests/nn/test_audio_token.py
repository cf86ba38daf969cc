"""The audio token, against convolutions written out."""

import numpy as np
import pytest
import torch
from scipy.special import erf
from torch.testing import assert_close

from harness.nn.clip.audio_token import AudioToken
from harness.types import Padded


def sound(lengths, steps=None):
    count = steps or max(lengths)
    mask = torch.arange(count) < torch.tensor(lengths).unsqueeze(1)
    values = torch.randn(len(lengths), 16, 5, generator=torch.Generator().manual_seed(0))
    padded = torch.zeros(len(lengths), count, 5)
    padded[:, : min(16, count)] = values[:, :count]
    return Padded(padded * mask.unsqueeze(2), mask)


def convolved(steps, layer):
    """A convolution of width 3 and stride 2 over (T, D), zeros at both edges, and GELU."""
    weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    edged = np.pad(steps, ((1, 1), (0, 0)))
    found = [
        sum(weight[:, :, k] @ edged[t + k] for k in range(3)) + bias for t in range(0, len(steps), 2)
    ]
    return np.array([x * 0.5 * (1 + erf(x / np.sqrt(2))) for x in found])


@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_the_token_is_two_convolutions_a_mean_and_a_map(length):
    torch.manual_seed(0)
    model, given = AudioToken(5, 6), sound([length])
    state = given.values[0].double().numpy()
    for layer in model.convolutions:
        state = convolved(state, layer)
    outer = model.outer.weight.detach().double().numpy()
    expected = outer @ state.mean(0) + model.outer.bias.detach().double().numpy()
    np.testing.assert_allclose(model(given)[0].detach().numpy(), expected, atol=1e-5)


def test_padding_does_not_change_the_token():
    torch.manual_seed(0)
    model = AudioToken(5, 6)
    for length in range(1, 8):
        assert_close(model(sound([length], 16)), model(sound([length])))


def test_a_clip_without_sound_gives_the_bias():
    torch.manual_seed(0)
    model = AudioToken(5, 6)
    assert model(sound([0, 4]))[0].equal(model.outer.bias)
