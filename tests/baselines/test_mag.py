"""MAG: its gate against the equations in NumPy, its encoder against the same encoder without a gate."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.mag import MAG, AdaptationGate, MAGConfig
from harness.nn.align import pooled
from harness.spec import BadInput
from harness.types import Padded

DATA = Toy(ToyConfig()).load()
TINY = {"encoder_width": 8, "encoder_layers": 2, "encoder_heads": 2, "vocabulary": 300, "max_tokens": 32}


def build(**config):
    torch.manual_seed(0)
    return MAG(MAGConfig(**{**TINY, **config}), DATA.info).eval()


def weights(layer):
    return layer.weight.detach().numpy(), layer.bias.detach().numpy() if layer.bias is not None else 0


def layer_norm(vector, norm):
    weight, bias = weights(norm)
    return (vector - vector.mean()) / np.sqrt(vector.var() + norm.eps) * weight + bias


def gate_of(shift, bias):
    torch.manual_seed(0)
    return AdaptationGate(6, 5, 4, MAGConfig(shift=shift, bias=bias)).eval()


def inputs():
    draw = torch.Generator().manual_seed(0)
    return [torch.randn(2, 3, width, generator=draw) for width in (6, 5, 4)]


@pytest.mark.parametrize("bias", ["paper", "peer"])
@pytest.mark.parametrize("shift", [0.01, 0.5, 100.0])
def test_the_gate_is_that_of_the_equations(shift, bias):
    gate = gate_of(shift, bias)
    if bias == "paper":
        nn.init.normal_(gate.bias)
    found = gate(*inputs()).detach().numpy()
    for place in np.ndindex(2, 3):
        z, v, a = (each[place].numpy() for each in inputs())
        h = np.zeros(6) if bias == "peer" else gate.bias.detach().numpy()
        for other, opening, value in (
            (v, gate.vision_gate, gate.vision),
            (a, gate.audio_gate, gate.audio),
        ):
            weight, offset = weights(opening)
            g = np.maximum(weight @ np.concatenate((other, z)) + offset, 0)
            weight, offset = weights(value)
            h = h + g * (weight @ other + offset)
        alpha = min(np.linalg.norm(z) / np.linalg.norm(h) * shift, 1)
        np.testing.assert_allclose(found[place], layer_norm(z + alpha * h, gate.norm), atol=1e-4)


def test_a_word_is_shifted_by_at_most_so_many_times_its_length():
    gate = gate_of(0.25, "paper")
    gate.norm = nn.Identity()
    words, vision, audio = inputs()
    shift = gate(words, 1000 * vision, audio) - words
    assert_close(shift.norm(dim=2), 0.25 * words.norm(dim=2), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("bias", ["paper", "peer"])
def test_nothing_seen_and_nothing_heard_has_a_number_and_a_gradient(bias):
    gate = gate_of(1.0, bias)
    words, vision, audio = (torch.zeros_like(each).requires_grad_() for each in inputs())
    gate(words, vision, audio).square().sum().backward()
    assert all(each.grad.isfinite().all() for each in (words, vision, audio))
    assert all(weight.grad.isfinite().all() for weight in gate.parameters())


class Open(nn.Module):
    """A gate that lets words pass as they are, and says what it was given."""

    def forward(self, states, vision, audio):
        self.given = states, vision, audio
        return states


@pytest.mark.parametrize("architecture", ["bert", "roberta"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_with_an_open_gate_the_encoder_is_what_it_was(architecture, layer):
    model = build(architecture=architecture, layer=layer)
    model.gate = Open()
    batch = model.tokenise(DATA.test)
    states = model.text(batch).values
    assert_close(model(batch).embedding, model.pooler(states[:, 0]).tanh())


@pytest.mark.parametrize("architecture", ["bert", "roberta"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_gate_stands_behind_the_layer_that_is_named(architecture, layer):
    model = build(architecture=architecture, layer=layer)
    model.gate = Open()
    batch = model.tokenise(DATA.test)
    model(batch)
    tokens, encoder = model.text.ids(batch), model.text.encoder
    everything = encoder(
        input_ids=tokens.values, attention_mask=tokens.mask.long(), output_hidden_states=True
    )
    states, vision, audio = model.gate.given
    assert_close(states, everything.hidden_states[layer])
    assert_close(vision, pooled(DATA.test.vision, tokens).values)
    assert_close(audio, pooled(DATA.test.audio, tokens).values)


def test_the_last_layers_states_are_shifted_as_they_come_out():
    model = build(layer=2)
    batch = model.tokenise(DATA.test)
    tokens = model.text.ids(batch)
    beside = [pooled(each, tokens).values for each in (DATA.test.vision, DATA.test.audio)]
    states = model.gate(model.text(batch).values, *beside)
    assert_close(model(batch).embedding, model.pooler(states[:, 0]).tanh())


def test_no_hook_stays_behind_even_when_the_gate_fails():
    model = build()
    batch = model.tokenise(DATA.test)
    before = model.text(batch).values
    model(batch)
    model.gate.forward = None
    with pytest.raises(TypeError):
        model(batch)
    assert model.text(batch).values.equal(before)


@pytest.mark.parametrize("architecture", ["bert", "roberta"])
def test_padding_of_tokens_does_not_count(architecture):
    model = build(architecture=architecture)
    batch = model.tokenise(DATA.test)
    alone = [model(model.tokenise(DATA.test.take(torch.tensor([row])))).score for row in range(4)]
    assert_close(model(batch).score[:4], torch.cat(alone), rtol=1e-4, atol=1e-5)


def aligned_clips():
    """Clips whose features have one step a token."""
    mask = DATA.test.token_ids.mask
    found = {
        view: Padded(torch.randn(*mask.shape, width) * mask.unsqueeze(2), mask)
        for view, width in (("vision", 5), ("audio", 4))
    }
    return replace(DATA.test, **found)


def test_features_that_have_a_step_a_token_are_taken_as_they_are():
    info, batch = replace(DATA.info, is_aligned=True), aligned_clips()
    models = []
    for align in (None, "pool"):
        torch.manual_seed(0)
        models.append(MAG(MAGConfig(**TINY, text_source="token_ids", align=align), info).eval())
    assert_close(models[0](batch).score, models[1](batch).score)


def test_features_of_other_steps_are_refused_where_they_are_taken_as_they_are():
    with pytest.raises(BadInput, match="align: pool"):
        build(text_source="token_ids", align=None)
    model = MAG(
        MAGConfig(**TINY, text_source="token_ids", align=None), replace(DATA.info, is_aligned=True)
    )
    longer = Padded(torch.zeros(16, 9, 5), torch.ones(16, 9, dtype=torch.bool))
    with pytest.raises(ValueError, match="9 steps of features beside"):
        model(replace(DATA.test, vision=longer))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"architecture": "distilbert"}, "none in 'distilbert'"),
        ({"architecture": "modernbert"}, "none in 'modernbert'"),
        ({"layer": 3}, "has 2 layers, given 3"),
    ],
)
def test_an_encoder_without_a_place_for_the_gate_is_refused_before_training(config, message):
    with pytest.raises(BadInput, match=message):
        MAGConfig(**{**TINY, **config}).check()
    with pytest.raises(BadInput, match=message):
        build(**config)


def test_features_in_place_of_words_are_no_option():
    with pytest.raises(ValueError, match="text_source"):
        MAGConfig(text_source="features")
