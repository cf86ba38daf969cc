"""The opponent that names modalities, against NumPy and as a game."""

import numpy as np
import pytest
import torch
from loss_samples import EVENTS, softmax

from harness.losses.modality_adversarial import ModalityAdversarial, ModalityAdversarialConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
AUDIO, VISION = DRAW.normal(size=(2, 8, 5))
AUDIO += 1


def outputs(audio, vision):
    return Outputs(audio_embedding=torch.as_tensor(audio), vision_embedding=torch.as_tensor(vision))


def adapted(seed=0):
    loss = ModalityAdversarial(ModalityAdversarialConfig(hidden=6), EVENTS.info)
    torch.manual_seed(seed)
    loss.adapt(outputs(AUDIO, VISION), None, EVENTS.train)
    return loss.double()


def cross_entropy(loss, audio, vision):
    """Of three layers with rectified units between, by hand; sounds are 0 and pictures 1."""
    state = np.concatenate((audio, vision))
    layers = [layer for layer in loss.classifier if isinstance(layer, torch.nn.Linear)]
    for layer in layers[:-1]:
        state = np.maximum(state @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(), 0)
    logits = state @ layers[-1].weight.detach().numpy().T + layers[-1].bias.detach().numpy()
    shares = softmax(logits)
    return -np.log(np.concatenate((shares[: len(audio), 0], shares[len(audio) :, 1]))).mean()


def test_the_opponent_pays_its_surprise_at_the_modality_and_the_model_minus_that():
    loss, found = adapted(), outputs(AUDIO, VISION)
    expected = cross_entropy(loss, AUDIO, VISION)
    assert loss.opponent_loss(found, EVENTS.train).item() == pytest.approx(expected)
    assert loss(found, EVENTS.train, None).item() == pytest.approx(-expected)


def test_all_its_parameters_are_the_opponents():
    loss = adapted()
    assert {id(own) for own in loss.opponent()} == {id(own) for own in loss.parameters()}
    assert len(list(loss.opponent())) == 6


def learn(loss, found, steps=200):
    """Plain steps down the opponent's own loss."""
    own = list(loss.opponent())
    for _ in range(steps):
        slopes = torch.autograd.grad(loss.opponent_loss(found, EVENTS.train), own)
        with torch.no_grad():
            for parameter, slope in zip(own, slopes, strict=True):
                parameter.sub_(0.1 * slope)
    return loss.opponent_loss(found, EVENTS.train).item()


def test_no_opponent_of_equal_embeddings_pays_less_than_the_logarithm_of_two():
    found = outputs(AUDIO, AUDIO)
    for seed in range(5):
        assert adapted(seed).opponent_loss(found, EVENTS.train) >= np.log(2)
    assert learn(adapted(), found) == pytest.approx(np.log(2), abs=1e-3)


def test_an_opponent_of_embeddings_apart_comes_to_know_them():
    assert learn(adapted(), outputs(AUDIO + 5, VISION)) < 0.01


def test_embeddings_that_go_down_it_become_harder_to_tell_apart():
    loss = adapted()
    learn(loss, outputs(AUDIO, VISION), steps=50)
    audio = torch.tensor(AUDIO, requires_grad=True)
    before = loss(outputs(audio, VISION), EVENTS.train, None)
    before.backward()
    after = outputs(audio.detach() - 0.1 * audio.grad, VISION)
    assert loss.opponent_loss(after, EVENTS.train) > -before
