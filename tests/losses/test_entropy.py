"""The entropy of two Gaussians, against NumPy's covariances and SciPy's entropies."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from loss_samples import DATA
from scipy.stats import multivariate_normal

from harness.losses.entropy import Entropy, EntropyConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
WIDTHS = {"vision": 3, "audio": 2}
TARGET = np.array([2.0, -1, 0, 1, -2, 3, -0.5, 0.2, -3, 1.5])


def samples(count=10, seed=0):
    draw = np.random.default_rng(seed)
    return {name: draw.normal(size=(count, width)) for name, width in WIDTHS.items()}


def said(found):
    parts = {f"{name}_sample": torch.as_tensor(values) for name, values in found.items()}
    return Outputs(torch.zeros(len(parts["vision_sample"])), parts=parts)


def labelled(target):
    return replace(DATA.train.take(torch.arange(len(target))), target=torch.as_tensor(target))


def adapted(**config):
    loss = Entropy(EntropyConfig(**{"ridge": 1e-12, **config}), DATA.info)
    loss.adapt(said(samples()), None, DATA.train)
    return loss.double()


def expected(found, target):
    total = 0.0
    for values in found.values():
        for sign in (1, -1):
            members = values[np.sign(target) == sign]
            total -= np.linalg.slogdet(np.cov(members.T, ddof=0))[1] / 4
    return total


def test_it_is_minus_a_quarter_of_the_log_determinants_of_the_covariances_of_either_sign():
    value = adapted()(said(samples()), labelled(TARGET), None).item()
    assert value == pytest.approx(expected(samples(), TARGET))


def test_it_is_the_mean_entropy_of_the_two_gaussians_but_for_a_constant():
    entropies, widths = 0.0, 0.0
    for values in samples().values():
        for sign in (1, -1):
            cov = np.cov(values[np.sign(TARGET) == sign].T, ddof=0)
            entropies += multivariate_normal(cov=cov).entropy() / 2
            widths += values.shape[1] * np.log(2 * np.pi * np.e) / 4
    value = adapted()(said(samples()), labelled(TARGET), None).item()
    assert value == pytest.approx(widths - entropies)


def test_the_last_clips_before_the_batch_count_as_well():
    loss, first, second = adapted(remembered=10), samples(seed=1), samples(seed=2)
    loss(said(samples(seed=3)), labelled(TARGET), None)
    loss(said(first), labelled(-TARGET), None)
    both = {name: np.concatenate((first[name], second[name])) for name in WIDTHS}
    value = loss(said(second), labelled(TARGET), None).item()
    assert value == pytest.approx(expected(both, np.concatenate((-TARGET, TARGET))))


def test_a_memory_longer_than_a_batch_keeps_the_newest():
    loss, given = adapted(remembered=14), [samples(seed=seed) for seed in range(3)]
    for found in given[:2]:
        loss(said(found), labelled(TARGET), None)
    kept = {name: np.concatenate([g[name] for g in given])[6:] for name in WIDTHS}
    value = loss(said(given[2]), labelled(TARGET), None).item()
    assert value == pytest.approx(expected(kept, np.tile(TARGET, 3)[6:]))


@pytest.mark.parametrize("remembered", [0, 10])
def test_in_evaluation_and_without_a_memory_the_batch_is_all_there_is(remembered):
    loss = adapted(remembered=remembered)
    if remembered:
        loss.eval()
    loss(said(samples(seed=1)), labelled(TARGET), None)
    value = loss(said(samples()), labelled(TARGET), None).item()
    assert value == pytest.approx(expected(samples(), TARGET))


def test_no_gradient_reaches_what_is_remembered():
    loss, first, second = adapted(), said(samples(seed=1)), said(samples(seed=2))
    for outputs in (first, second):
        for part in outputs.parts.values():
            part.requires_grad_()
    loss(first, labelled(TARGET), None)
    loss(second, labelled(TARGET), None).backward()
    assert [part.grad for part in first.parts.values()] == [None, None]
    assert all(part.grad.any() for part in second.parts.values())


def test_wider_samples_cost_less():
    wide = {name: 2 * values for name, values in samples().items()}
    found = [adapted()(said(values), labelled(TARGET), None).item() for values in (samples(), wide)]
    assert found[0] - found[1] == pytest.approx(np.log(4) / 4 * 2 * sum(WIDTHS.values()))


def test_a_sign_of_one_clip_costs_nothing():
    target = np.array([1.0, 2, 3, 1, -1, 0])
    found = samples(6)
    value = adapted()(said(found), labelled(target), None).item()
    positive = {name: values[:4] for name, values in found.items()}
    alone = sum(-np.linalg.slogdet(np.cov(v.T, ddof=0))[1] / 4 for v in positive.values())
    assert value == pytest.approx(alone)


def test_samples_without_spread_have_the_entropy_of_the_ridge():
    flat = {name: np.ones((10, width)) for name, width in WIDTHS.items()}
    value = adapted(ridge=0.01)(said(flat), labelled(TARGET), None).item()
    assert value == pytest.approx(-np.log(0.01) * 2 * sum(WIDTHS.values()) / 4)


def test_what_is_remembered_comes_back_from_a_checkpoint():
    loss, other = adapted(), adapted()
    loss(said(samples(seed=1)), labelled(TARGET), None)
    other.load_state_dict(loss.state_dict())
    found = [one(said(samples()), labelled(TARGET), None) for one in (loss, other)]
    assert found[0].equal(found[1])
