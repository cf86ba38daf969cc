"""Last states without packing, against an LSTM over each clip alone."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from harness.nn.final_states import FinalStates, ProjectedStates
from harness.types import Padded

LENGTHS = (3, 1, 5, 2)


def padded(lengths=LENGTHS, longest=7, noise=0.0):
    """Sequences, with something in the padding that nobody may read."""
    mask = torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)
    draw = torch.Generator().manual_seed(0)
    values = torch.randn(len(lengths), longest, 4, generator=draw)
    return Padded(torch.where(mask.unsqueeze(2), values, noise), mask)


def test_the_state_is_that_of_an_lstm_over_the_existing_steps():
    encoder, sequence = FinalStates(4, 6), padded()
    for row, length in enumerate(LENGTHS):
        _, (state, _) = encoder.forwards.layers[0](sequence.values[row, :length])
        assert_close(encoder(sequence)[row], state[0])


def test_both_ways_it_is_what_a_bidirectional_lstm_says():
    encoder, sequence = FinalStates(4, 6, both_ways=True), padded()
    both = nn.LSTM(4, 6, bidirectional=True)
    for name, weight in encoder.forwards.layers[0].named_parameters():
        getattr(both, name).data = weight.data
        getattr(both, f"{name}_reverse").data = encoder.backwards.layers[0].get_parameter(name).data
    for row, length in enumerate(LENGTHS):
        _, (states, _) = both(sequence.values[row, :length])
        assert_close(encoder(sequence)[row], states.flatten())


@pytest.mark.parametrize("both_ways", [False, True])
def test_what_lies_behind_a_sequence_does_not_count(both_ways):
    encoder = FinalStates(4, 6, both_ways=both_ways)
    found = encoder(padded(noise=100.0))
    assert_close(found, encoder(padded()))
    sequence = padded()
    values = sequence.values.clone().requires_grad_()
    encoder(Padded(values, sequence.mask)).sum().backward()
    assert values.grad.any(2).equal(sequence.mask)


@pytest.mark.parametrize("both_ways", [False, True])
def test_an_empty_sequence_is_one_zero_step(both_ways):
    encoder = FinalStates(4, 6, both_ways=both_ways)
    one = Padded(torch.zeros(1, 1, 4), torch.ones(1, 1, dtype=torch.bool))
    assert_close(encoder(padded((0, 3)))[:1], encoder(one))


def test_the_projection_is_a_linear_layer_behind_the_states():
    encoder = ProjectedStates(4, 6, 5, both_ways=True)
    assert encoder(padded()).shape == (4, 5)
    assert_close(encoder(padded()), encoder.linear(encoder.states(padded())))
