"""Attention maps against loops."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.attention_transfer import AttentionTransfer, AttentionTransferConfig, stretch_means
from harness.types import Outputs, Padded

DRAW = np.random.default_rng(0)


def sequences(lengths, width, steps):
    """States of clips, padded with rubbish that must not count."""
    values = DRAW.normal(size=(len(lengths), steps, width))
    return values, np.array(lengths)


def outputs(values, lengths):
    mask = torch.arange(values.shape[1]) < torch.as_tensor(lengths).unsqueeze(1)
    return Outputs(torch.zeros(len(lengths)), hidden=Padded(torch.as_tensor(values), mask))


def loss(student, teacher, **config):
    built = AttentionTransfer(AttentionTransferConfig(**config), DATA.info)
    return built(outputs(*student), DATA.train, outputs(*teacher)).item()


def finely(values, count):
    """Means over stretches of a sequence whose every step was repeated `count` times."""
    return np.array([part.mean() for part in np.split(np.repeat(values, count), count)])


def by_hand(states, power, positions):
    strength = [sum(abs(a) ** power for a in state) for state in states]
    found = finely(strength, positions)
    return found / np.sqrt((found**2).sum())


STUDENT, TEACHER = sequences((4, 1, 7, 2), 5, 8), sequences((3, 5, 2, 1), 6, 5)


@pytest.mark.parametrize(("power", "positions"), [(2, 4), (1, 3), (4, 8)])
def test_it_is_the_squared_distance_of_normalised_maps(power, positions):
    expected = 0.0
    for row in range(4):
        maps = [by_hand(v[row, : n[row]], power, positions) for v, n in (STUDENT, TEACHER)]
        expected += ((maps[0] - maps[1]) ** 2).sum() / 4
    assert loss(STUDENT, TEACHER, power=power, positions=positions) == pytest.approx(expected)


def test_the_same_states_cost_nothing():
    assert loss(STUDENT, STUDENT) == pytest.approx(0, abs=1e-12)


def test_the_scale_of_a_clip_and_rotations_of_its_channels_do_not_count():
    values, lengths = STUDENT
    turned = 7 * values[..., ::-1].copy()
    assert loss((turned, lengths), TEACHER) == pytest.approx(loss(STUDENT, TEACHER))


def test_every_step_said_twice_changes_nothing():
    values, lengths = STUDENT
    assert loss((np.repeat(values, 2, axis=1), 2 * lengths), STUDENT) == pytest.approx(0, abs=1e-12)


def test_attention_at_opposite_ends_costs_two():
    early, late = np.zeros((1, 4, 3)), np.zeros((1, 4, 3))
    early[0, 0], late[0, 3] = 1, 1
    assert loss((early, [4]), (late, [4]), positions=2) == pytest.approx(2)


def test_normalised_states_differ_in_other_powers_than_two_only():
    equally_long = [(v / np.linalg.norm(v, axis=2, keepdims=True), n) for v, n in (STUDENT, TEACHER)]
    assert loss(*equally_long, power=2) == pytest.approx(0, abs=1e-12)
    assert loss(*equally_long, power=4) > 0.01


def test_the_mean_over_the_stretches_is_the_mean_over_the_steps():
    values, lengths = torch.rand(4, 9, dtype=torch.float64), torch.tensor([9, 5, 1, 3])
    expected = [values[row, :length].mean() for row, length in enumerate(lengths)]
    np.testing.assert_allclose(stretch_means(values, lengths, 4).mean(1), expected)


def test_as_many_stretches_as_steps_are_the_steps():
    values = torch.rand(2, 4, dtype=torch.float64)
    np.testing.assert_allclose(stretch_means(values, torch.tensor([4, 4]), 4), values)


def test_an_empty_sequence_has_stretches_of_zero():
    assert not stretch_means(torch.ones(1, 3), torch.tensor([0]), 4).any()
