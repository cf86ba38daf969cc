"""Sequence encoders against the same layers without padding, and against NumPy."""

import numpy as np
import torch
from torch.testing import assert_close

from harness.nn.sequence import LastState, MeanState, ProjectedState, SummedStates
from harness.types import Padded

LENGTHS = (3, 1, 5, 2)


def padded(lengths=LENGTHS, longest=7):
    mask = torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)
    draw = torch.Generator().manual_seed(0)
    return Padded(torch.randn(len(lengths), longest, 4, generator=draw) * mask.unsqueeze(2), mask)


def test_the_last_state_is_that_of_an_lstm_over_the_existing_steps():
    encoder, sequence = LastState(4, 6), padded()
    for row, length in enumerate(LENGTHS):
        _, (state, _) = encoder.layers[0](sequence.values[row, :length])
        assert_close(encoder(sequence)[row], state[0])


def test_the_last_state_of_stacked_layers_is_that_of_the_last_one():
    encoder, sequence = LastState(4, 6, layers=3, dropout=0.5).eval(), padded()
    for row, length in enumerate(LENGTHS):
        states = sequence.values[row, :length]
        for layer in encoder.layers:
            states, _ = layer(states)
        assert_close(encoder(sequence)[row], states[-1])


def test_the_state_of_a_single_step_is_that_of_an_lstm_and_so_is_its_gradient():
    encoder, sequence = LastState(4, 6, layers=2), padded((1, 0, 1), longest=1)
    expected = sequence.values
    for layer in encoder.layers:
        expected, _ = layer(expected)
    found = encoder(sequence)
    assert_close(found, expected[:, 0])
    names = [name for name, _ in encoder.named_parameters() if "weight_hh" not in name]
    weights = [dict(encoder.named_parameters())[name] for name in names]
    gradients = (torch.autograd.grad(each.square().sum(), weights) for each in (found, expected))
    assert_close(*gradients)


def test_dropout_acts_between_layers_only():
    for layers, changes in ((1, False), (2, True)):
        encoder = LastState(4, 6, layers=layers, dropout=0.5)
        assert encoder(padded()).ne(encoder(padded())).any().item() == changes


def test_the_projected_state_is_a_linear_layer_on_the_last_state():
    encoder, sequence = ProjectedState(4, 6, 3, dropout=0.5).eval(), padded()
    assert_close(encoder(sequence), encoder.linear(encoder.state(sequence)))
    assert encoder(sequence).shape == (4, 3)


def test_an_lstm_reads_an_empty_sequence_as_one_zero_step():
    encoder = LastState(4, 6)
    _, (state, _) = encoder.layers[0](torch.zeros(1, 4))
    assert_close(encoder(padded((0, 3)))[0], state[0])


def test_no_gradient_of_the_last_state_reaches_the_padding():
    sequence = padded()
    values = sequence.values.clone().requires_grad_()
    LastState(4, 6)(Padded(values, sequence.mask)).sum().backward()
    assert values.grad.any(2).equal(sequence.mask)


def test_summed_states_are_those_of_both_directions_of_a_gru_over_the_existing_steps():
    encoder, sequence = SummedStates(4, 6, layers=2), padded()
    found = encoder(sequence)
    for row, length in enumerate(LENGTHS):
        forth, back = encoder.gru(sequence.values[row, :length])[0].split(6, dim=1)
        assert_close(found.values[row, :length], encoder.norm(forth + back).relu())
    assert not found.values[~found.mask].any()


def test_the_mean_state_is_normalisation_and_three_rectified_layers_on_the_mean():
    encoder, sequence = MeanState(4, 6, dropout=0.5).eval(), padded()
    encoder.norm.running_mean.copy_(torch.arange(4.0))
    encoder.norm.running_var.copy_(torch.arange(1.0, 5.0))
    means = [sequence.values[row, :length].numpy().mean(0) for row, length in enumerate(LENGTHS)]
    state = (np.stack(means) - np.arange(4)) / np.sqrt(np.arange(1, 5) + encoder.norm.eps)
    for layer in encoder.layers:
        state = np.maximum(state @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(), 0)
    np.testing.assert_allclose(encoder(sequence).detach().numpy(), state, rtol=1e-4, atol=1e-6)


def test_the_mean_state_is_trained_on_inputs_normalised_over_the_batch():
    encoder, sequence = MeanState(4, 6, dropout=0.0), padded()
    means = torch.stack([sequence.values[row, :length].mean(0) for row, length in enumerate(LENGTHS)])
    scaled = (means - means.mean(0)) / (means.var(0, correction=0) + encoder.norm.eps).sqrt()
    assert_close(encoder.norm(sequence.mean()), scaled)


def test_the_mean_of_one_step_is_that_step():
    encoder = MeanState(4, 6, dropout=0.0).eval()
    one = padded((1, 0, 1), longest=1)
    more = Padded(torch.cat((one.values, 0 * one.values), 1), torch.cat((one.mask, one.mask & False), 1))
    assert_close(encoder(one), encoder(more))


def test_an_empty_sequence_has_the_mean_state_of_zeros():
    encoder = MeanState(4, 6, dropout=0.0).eval()
    zeros = Padded(torch.zeros(1, 3, 4), torch.ones(1, 3, dtype=torch.bool))
    assert_close(encoder(padded((0, 3)))[:1], encoder(zeros))


def test_a_last_batch_of_one_clip_can_be_trained_on():
    encoder = MeanState(4, 6, dropout=0.0)
    encoder(padded())
    one = padded((3,))
    found = encoder(one)
    assert_close(found, encoder.eval()(one))
