"""Self-MM against its equations, clip by clip in NumPy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.self_mm import MODALITIES, SelfMM, SelfMMConfig
from harness.losses.unimodal_labels import UnimodalLabelsConfig
from harness.types import Padded

DATA = Toy(ToyConfig()).load()
SIZES = {"vision_states": 4, "audio_states": 3, "vision_width": 5, "audio_width": 2}


def build(**config):
    torch.manual_seed(0)
    return SelfMM(SelfMMConfig(**{**SIZES, **config}), DATA.info).eval()


def weights(layer):
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def linear(layer, vector):
    weight, bias = weights(layer)
    return weight @ vector + bias


def head(layers, vector):
    found = top = np.maximum(linear(layers.representation, vector), 0)
    if layers.between is not None:
        top = np.maximum(linear(layers.between, found), 0)
    return found, linear(layers.score, top)[0]


def vectors(model, row, encoders):
    """Text, audio and vision of one clip without its padding."""
    found = {"text": DATA.test.text.values[row, 0].numpy()}
    for name in ("audio", "vision"):
        sequence, network = getattr(DATA.test, name), getattr(model, name)
        steps = sequence.values[row, : sequence.mask[row].sum()]
        states = network if encoders == "paper" else network.states
        lstm = states.forwards.layers[0]
        state = lstm(steps)[1][0][0].detach().numpy()
        found[name] = state if encoders == "paper" else linear(network.linear, state)
    return found


@pytest.mark.parametrize("heads", ["paper", "peer"])
@pytest.mark.parametrize("encoders", ["paper", "peer"])
def test_scores_and_representations_are_those_of_the_equations(encoders, heads):
    model = build(encoders=encoders, heads=heads, text_dropout=0, audio_dropout=0)
    outputs = model.train()(DATA.test)
    for row in range(len(DATA.test)):
        found = vectors(model, row, encoders)
        fused, score = head(model.heads["fusion"], np.concatenate(list(found.values())))
        np.testing.assert_allclose(outputs.embedding[row].detach(), fused, rtol=1e-4, atol=1e-6)
        assert outputs.score[row].item() == pytest.approx(score, abs=1e-5)
        assert outputs.part("fusion_vector")[row].equal(outputs.embedding[row])
        for name, vector in found.items():
            own, score = head(model.heads[name], vector)
            part = outputs.part(f"{name}_vector")[row].detach()
            np.testing.assert_allclose(part, own, rtol=1e-4, atol=1e-6)
            assert outputs.part(f"{name}_score")[row].item() == pytest.approx(score, abs=1e-5)


def test_it_gives_what_its_loss_reads():
    assert UnimodalLabelsConfig.parts == SelfMMConfig().parts()


def test_a_modality_has_no_say_in_the_score_of_another():
    model = build(text_dropout=0, audio_dropout=0).train()
    silent = Padded(torch.zeros_like(DATA.test.vision.values), DATA.test.vision.mask)
    found, other = model(DATA.test), model(replace(DATA.test, vision=silent))
    same = [
        name for name in MODALITIES if found.part(f"{name}_score").equal(other.part(f"{name}_score"))
    ]
    assert same == ["text", "audio"]
    assert not found.score.equal(other.score)


@pytest.mark.parametrize(
    ("way", "pooled"), [("cls", lambda text: text.values[:, 0]), ("mean", Padded.mean)]
)
def test_the_text_is_its_first_step_or_the_mean_over_steps(way, pooled):
    model = build(text_pooling=way)
    assert_close(model.pooling(model.text(DATA.test)), pooled(DATA.test.text))


def test_learned_embeddings_have_no_first_step_that_stands_for_all():
    model = build(text_source="transcript", embedding=4, vocabulary=300)
    batch = model.tokenise(DATA.test)
    assert_close(model.pooling(model.text(batch)), model.text(batch).mean())


def test_the_lstms_learn_at_rates_of_their_own():
    model = build(vision_rate=7.0, audio_rate=0.5)
    model.text.encoder_rate = 0.1
    names = [*dict(model.named_parameters()), "text.encoder.layer.weight"]
    scales = {(name.split(".")[0], model.rate_scale(name)) for name in names}
    assert scales == {("text", 0.1), ("vision", 7.0), ("audio", 0.5), ("heads", 1.0)}
