"""From states to one vector."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch.testing import assert_close

from harness.nn.pooling import AttentionOverStates, pooling
from harness.types import Padded


def states(extra=0):
    """Three sequences of 4, 2 and 1 steps; what stands in the padding is loud."""
    draw = torch.Generator().manual_seed(0)
    lengths = torch.tensor([4, 2, 1])
    mask = torch.arange(4 + extra) < lengths.unsqueeze(1)
    values = torch.full((3, 4 + extra, 6), 1e3)
    values[:, :4] = torch.randn(3, 4, 6, generator=draw)
    return Padded(values.masked_fill(~mask.unsqueeze(2), 1e3), mask)


def attention(seed=0):
    torch.manual_seed(seed)
    model = AttentionOverStates(6)
    torch.nn.init.normal_(model.query)
    return model


def test_attention_is_numpys_softmax_over_existing_steps():
    model, given = attention(), states()
    query = model.query.detach().numpy()
    for row, length in enumerate((4, 2, 1)):
        steps = given.values[row, :length].numpy()
        expected = softmax(steps @ query / np.sqrt(6)) @ steps
        np.testing.assert_allclose(model(given)[row].detach(), expected, rtol=1e-5, atol=1e-6)


def test_attention_starts_as_the_mean():
    given = states()
    assert_close(pooling("attention", 6)(given), given.mean())


def test_shares_sum_to_one_and_padding_has_none():
    given = states()
    shares = attention().shares(given)
    assert_close(shares.sum(1), torch.ones(3))
    assert not shares[~given.mask].any()


def test_a_step_that_the_query_points_at_takes_it_all():
    model, given = attention(), states()
    with torch.no_grad():
        model.query.copy_(1e4 * given.values[0, 2])
    assert_close(model(given)[0], given.values[0, 2])


def test_the_query_learns_from_its_start():
    model = AttentionOverStates(6)
    model(states())[0].sum().backward()
    assert model.query.grad.abs().min() > 0


@pytest.mark.parametrize("name", ["cls", "mean", "attention"])
def test_padding_does_not_count(name):
    model = attention() if name == "attention" else pooling(name, 6)
    assert_close(model(states()), model(states(extra=3)))


@pytest.mark.parametrize("name", ["mean", "attention"])
def test_an_empty_sequence_gives_zero(name):
    empty = Padded(torch.ones(2, 3, 6), torch.zeros(2, 3, dtype=torch.bool))
    assert pooling(name, 6)(empty).equal(torch.zeros(2, 6))


def test_the_first_state_is_the_vector_under_cls():
    assert pooling("cls", 6)(states()).equal(states().values[:, 0])
