"""Decoupled distillation against loops, and against the classical one that it decouples."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from loss_samples import DATA, of_logits, softmax
from scipy.special import rel_entr

from harness.losses.dkd import DKD, DKDConfig
from harness.losses.kl import KL, KLConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(24, 7)), DRAW.normal(size=(24, 7))
LEVELS = (np.round(DATA.train.target.numpy()) + 3).astype(int)


def loss(student, teacher, target=DATA.train.target, **config):
    batch = replace(DATA.train, target=target)
    return float(DKD(DKDConfig(**config), DATA.info)(of_logits(student), batch, of_logits(teacher)))


def classical(student, teacher, temperature):
    built = KL(KLConfig(temperature=temperature), DATA.info)
    return float(built(of_logits(student), DATA.train, of_logits(teacher)))


def by_hand(temperature):
    """TCKD and NCKD of each clip, from probabilities."""
    parts = []
    for s, t, level in zip(
        softmax(STUDENT / temperature), softmax(TEACHER / temperature), LEVELS, strict=True
    ):
        target = rel_entr(t[level], s[level]) + rel_entr(1 - t[level], 1 - s[level])
        s_rest, t_rest = (np.delete(side, level) / (1 - side[level]) for side in (s, t))
        parts.append((target, rel_entr(t_rest, s_rest).sum(), 1 - t[level]))
    return np.array(parts).T


@pytest.mark.parametrize(("alpha", "beta", "temperature"), [(1, 8, 4), (0.5, 2, 1), (0, 1, 2)])
def test_it_weighs_the_target_class_and_the_other_classes(alpha, beta, temperature):
    tckd, nckd, _ = by_hand(temperature)
    expected = temperature**2 * (alpha * tckd + beta * nckd).mean()
    found = loss(STUDENT, TEACHER, alpha=alpha, beta=beta, temperature=temperature)
    assert found == pytest.approx(expected)


def test_the_teachers_doubt_as_beta_is_classical_distillation():
    for row in range(24):
        one = [side[row : row + 1] for side in (STUDENT, TEACHER)]
        doubt = by_hand(4.0)[2][row]
        found = loss(*one, DATA.train.target[row : row + 1], alpha=1, beta=doubt, temperature=4)
        assert found == pytest.approx(classical(*one, 4.0))


def test_a_student_like_its_teacher_pays_nothing():
    assert loss(TEACHER + 5, TEACHER) == pytest.approx(0, abs=1e-12)


def test_without_the_target_class_only_the_order_of_the_others_counts():
    surer = TEACHER.copy()
    surer[np.arange(24), LEVELS] += 3
    assert loss(surer, TEACHER, alpha=0) == pytest.approx(0, abs=1e-12)
    assert loss(surer, TEACHER, beta=0) > 0.1


def test_of_two_levels_only_the_target_class_says_something():
    student, teacher = STUDENT[:, :2], TEACHER[:, :2]
    assert loss(student, teacher, beta=8.0) == pytest.approx(classical(student, teacher, 4.0))


def test_a_teacher_that_is_certain_of_the_label_still_teaches():
    certain = torch.as_tensor(1e3 * np.eye(7)[LEVELS], dtype=torch.float32)
    student = torch.as_tensor(STUDENT, dtype=torch.float32).requires_grad_()
    built = DKD(DKDConfig(), DATA.info)
    built(of_logits(student), DATA.train, of_logits(certain)).backward()
    assert student.grad.isfinite().all()
    assert student.grad.any(1).all()
