"""Classical distillation against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA, of_logits, softmax
from scipy.special import rel_entr

from harness.losses.kl import KL, KLConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(24, 7)), DRAW.normal(size=(24, 7))


def loss(student, teacher, temperature=4.0):
    built = KL(KLConfig(temperature=temperature), DATA.info)
    return built(of_logits(student), DATA.train, of_logits(teacher))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_it_is_the_divergence_of_softened_probabilities_times_the_squared_temperature(temperature):
    divergence = rel_entr(softmax(TEACHER / temperature), softmax(STUDENT / temperature)).sum(1).mean()
    expected = temperature**2 * divergence
    assert float(loss(STUDENT, TEACHER, temperature)) == pytest.approx(expected)


def test_a_constant_added_to_a_clips_logits_changes_nothing():
    shift = DRAW.normal(size=(24, 1))
    assert float(loss(STUDENT + shift, TEACHER - 3 * shift)) == pytest.approx(
        float(loss(STUDENT, TEACHER))
    )


def test_the_same_probabilities_cost_nothing():
    assert float(loss(TEACHER + 5, TEACHER)) == pytest.approx(0, abs=1e-12)


def test_a_teacher_that_is_certain_is_a_label():
    certain = 1000 * np.eye(7)[:3]
    expected = -np.log(softmax(STUDENT[:3])[np.arange(3), np.arange(3)]).mean()
    assert float(loss(STUDENT[:3], certain, 1.0)) == pytest.approx(expected)


def test_hot_it_pulls_logits_together_as_equation_4_says():
    centred = [side - side.mean(1, keepdims=True) for side in (STUDENT, TEACHER)]
    student = torch.tensor(centred[0], requires_grad=True)
    loss(student, centred[1], temperature=1e4).backward()
    np.testing.assert_allclose(student.grad.numpy(), (centred[0] - centred[1]) / 7 / 24, atol=1e-5)
