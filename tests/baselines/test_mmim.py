"""MMIM against its equations, clip by clip in NumPy."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.mmim import MMIM, MMIMConfig
from harness.losses.cpc import CPC, CPCConfig
from harness.losses.entropy import Entropy, EntropyConfig
from harness.losses.mutual_information import MutualInformation, MutualInformationConfig

DATA = Toy(ToyConfig()).load()
SIZES = {"vision_states": 4, "audio_states": 4, "vision_width": 8, "audio_width": 8, "hidden": 6}
LOSSES = (MutualInformationConfig, EntropyConfig, CPCConfig)


def build(**config):
    torch.manual_seed(0)
    return MMIM(MMIMConfig(**{**SIZES, "dropout": 0, **config}), DATA.info).eval()


def linear(layer, vector):
    return layer.weight.detach().numpy() @ vector + layer.bias.detach().numpy()


def vectors(model, row, encoders):
    """Text, audio and vision of one clip without its padding."""
    found = {"text": DATA.test.text.values[row, 0].numpy()}
    for name in ("audio", "vision"):
        sequence, network = getattr(DATA.test, name), getattr(model, name)
        steps = sequence.values[row, : sequence.mask[row].sum()]
        states = network if encoders == "paper" else network.states
        found[name] = states.forwards.layers[0](steps)[1][0][0].detach().numpy()
        if encoders == "peer":
            back = states.backwards.layers[0](steps.flip(0))[1][0][0].detach().numpy()
            found[name] = linear(network.linear, np.concatenate((found[name], back)))
    return found


@pytest.mark.parametrize("encoders", ["paper", "peer"])
def test_the_score_is_that_of_three_layers_on_all_vectors(encoders):
    model = build(encoders=encoders)
    outputs = model.train()(DATA.test)
    for row in range(len(DATA.test)):
        found = vectors(model, row, encoders)
        fused = np.concatenate(list(found.values()))
        for layer in model.fusion:
            fused = np.tanh(linear(layer, fused))
        np.testing.assert_allclose(outputs.embedding[row].detach(), fused, rtol=1e-4, atol=1e-6)
        assert outputs.score[row].item() == pytest.approx(linear(model.head, fused)[0], abs=1e-5)
        for name, vector in found.items():
            part = outputs.part(f"{name}_vector")[row].detach()
            np.testing.assert_allclose(part, vector, rtol=1e-4, atol=1e-6)
            predicted = linear(model.predictors[name], fused)
            part = outputs.part(f"{name}_prediction")[row].detach()
            np.testing.assert_allclose(part, predicted, rtol=1e-3, atol=1e-5)


def test_the_gaussians_are_of_vision_and_audio_given_the_text():
    model = build().train()
    outputs = model(DATA.test)
    for name in ("vision", "audio"):
        given = model.given_text[name](outputs.part("text_vector"))
        assert_close(given, (outputs.part(f"{name}_mean"), outputs.part(f"{name}_log_variance")))


def test_the_entropy_is_of_the_vectors_themselves():
    outputs = build().train()(DATA.test)
    for name in ("vision", "audio"):
        assert outputs.part(f"{name}_sample").equal(outputs.part(f"{name}_vector"))


def test_for_the_peer_it_is_of_a_quarter_that_nothing_trains():
    model = build(entropy_of="peer").train()
    samples = model(DATA.test).part("vision_sample")
    assert samples.shape == (len(DATA.test), SIZES["vision_states"] // 4)
    fixed = [name for name, weight in model.named_parameters() if not weight.requires_grad]
    assert {name.split(".")[0] for name in fixed} == {"samples"}


def test_it_gives_what_its_losses_read():
    assert frozenset().union(*(config.parts for config in LOSSES)) == MMIMConfig().parts()


@pytest.mark.parametrize("entropy_of", ["paper", "peer"])
def test_all_losses_together_can_be_descended(entropy_of):
    model = build(entropy_of=entropy_of).train()
    kinds = zip((MutualInformation, Entropy, CPC), LOSSES, strict=True)
    losses = [kind(config(), DATA.info) for kind, config in kinds]
    losses[1].adapt(model(DATA.train), None, DATA.train)
    trained = [weight for weight in model.parameters() if weight.requires_grad]

    def total():
        outputs = model(DATA.train)
        return (outputs.score - DATA.train.target).abs().mean() + 0.1 * sum(
            loss(outputs, DATA.train, None) for loss in losses
        )

    first = total().item()
    for _ in range(20):
        for weight, slope in zip(trained, torch.autograd.grad(total(), trained), strict=True):
            weight.data -= 0.05 * slope
    assert total().item() < first - 0.1
