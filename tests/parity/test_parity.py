"""Ports beside the models of the PyPI package mmsa, weights copied: the same numbers."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import pairs
import pytest
import torch
from torch.testing import assert_close

pytestmark = pytest.mark.peer

NAMES = sorted(module.name for module in iter_modules(pairs.__path__))

every_pair = pytest.mark.parametrize("name", NAMES)


def made(name):
    """The pair of a module of `pairs`, with the same weights."""
    torch.manual_seed(0)
    pair = import_module(f"pairs.{name}").pair()
    # A fresh batch norm has means of 0 and variances of 1 everywhere: any mix-up would go unseen.
    for buffer in pair.peer.buffers():
        if buffer.is_floating_point():
            buffer.copy_(0.5 + torch.rand_like(buffer))
    pair.same_weights()
    return pair


def gradients(module):
    return {
        name: torch.zeros_like(value) if value.grad is None else value.grad
        for name, value in module.named_parameters()
    }


def same_gradients(pair):
    ours = gradients(pair.port)
    theirs = pair.renamed(gradients(pair.peer), ours)
    for name, gradient in ours.items():
        assert_close(gradient, theirs[name], atol=1e-4, rtol=1e-4, msg=lambda m, n=name: f"{n}: {m}")
    assert any(gradient.any() for gradient in ours.values())


@every_pair
def test_every_weight_of_the_peer_has_its_place(name):
    pair = made(name)
    assert sorted(pair.names) == sorted(pair.port.state_dict())
    assert sorted(pair.peer_names()) == sorted(pair.peer.state_dict())


@every_pair
def test_the_number_of_trained_parameters_is_the_same(name):
    pair = made(name)
    counts = [
        sum(value.numel() for value in model.parameters() if value.requires_grad)
        for model in (pair.port, pair.peer)
    ]
    assert counts[0] == counts[1] > 0


@every_pair
def test_scores_are_the_same_in_evaluation(name):
    pair = made(name)
    pair.port.eval()
    pair.peer.eval()
    with torch.no_grad():
        score, expected = pair.outputs().score, pair.peer_score()
    assert score.shape == expected.shape
    assert_close(score, expected, atol=1e-5, rtol=1e-5)
    assert score.std() > 0


@every_pair
def test_gradients_of_the_absolute_error_are_the_same(name):
    pair = made(name)
    for model, score in ((pair.port, lambda: pair.outputs().score), (pair.peer, pair.peer_score)):
        model.eval()
        (score() - pair.batch.target).abs().mean().backward()
    same_gradients(pair)


def losses():
    for name in NAMES:
        for loss in made(name).losses:
            yield pytest.param(name, loss, id=f"{name}-{loss}")


@pytest.mark.parametrize(("name", "loss"), list(losses()))
def test_a_loss_and_its_gradients_are_the_same_in_training(name, loss):
    pair = made(name)
    ours, theirs = pair.losses[loss]
    pair.port.train()
    pair.peer.train()
    torch.manual_seed(1)
    value = ours()
    torch.manual_seed(1)
    expected = theirs()
    assert_close(value, expected, atol=1e-5, rtol=1e-5)
    value.backward()
    expected.backward()
    same_gradients(pair)
