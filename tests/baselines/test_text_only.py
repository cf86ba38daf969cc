"""The text-only control against the text sub-network of the fusion baseline that it controls."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from baselines.sentiment.lf_dnn import LFDNN, LFDNNConfig
from baselines.sentiment.text_only import TextOnly, TextOnlyConfig

DATA = Toy(ToyConfig()).load()
SOURCES = ("features", "transcript")
SHARED = ("text", "text_vector")


def rows(model, batch):
    return model(model.tokenise(batch))


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_the_text_sub_network_of_lf_dnn(source):
    alone = TextOnly(TextOnlyConfig(text_source=source, width=8), DATA.info).eval()
    fusion = LFDNN(LFDNNConfig(text_source=source, text_width=8), DATA.info).eval()
    for name in SHARED:
        getattr(alone, name).load_state_dict(getattr(fusion, name).state_dict())
    fused = rows(fusion, DATA.test).embedding
    assert rows(alone, DATA.test).embedding.equal(fused[:, :8])


@pytest.mark.parametrize("source", SOURCES)
def test_its_defaults_are_those_of_lf_dnn(source):
    sizes = [
        {name: value.shape for name, value in model.state_dict().items() if name.startswith(SHARED)}
        for model in (
            TextOnly(TextOnlyConfig(text_source=source), DATA.info),
            LFDNN(LFDNNConfig(text_source=source), DATA.info),
        )
    ]
    assert sizes[0] == sizes[1]


def test_its_dropouts_are_those_of_lf_dnn():
    alone, fusion = TextOnlyConfig(), LFDNNConfig()
    assert alone.text_dropout == fusion.text_dropout
    assert (alone.dropout, alone.head_width) == (fusion.fusion_dropout, fusion.head_width)


def test_its_score_is_two_rectified_layers_and_a_sum_over_its_vector():
    model = TextOnly(TextOnlyConfig(width=8, head_width=5), DATA.info).eval()
    outputs = model(DATA.test)
    first, second, last = (layer for layer in model.head if isinstance(layer, torch.nn.Linear))
    state = last(second(first(outputs.embedding).relu()).relu())
    assert state.squeeze(1).equal(outputs.score)
    assert (first.weight.shape, second.weight.shape) == ((5, 8), (5, 5))


@pytest.mark.parametrize("source", SOURCES)
def test_vision_and_audio_do_not_reach_it(source):
    model = TextOnly(TextOnlyConfig(text_source=source), DATA.info).eval()
    noise = {
        name: replace(view, values=torch.full_like(view.values, torch.nan))
        for name, view in (("vision", DATA.test.vision), ("audio", DATA.test.audio))
    }
    assert rows(model, replace(DATA.test, **noise)).score.equal(rows(model, DATA.test).score)


def test_words_in_capitals_are_the_same_words():
    model = TextOnly(TextOnlyConfig(text_source="transcript"), DATA.info).eval()
    shouted = replace(DATA.test, transcripts=tuple(text.upper() for text in DATA.test.transcripts))
    assert rows(model, shouted).score.equal(rows(model, DATA.test).score)


def test_words_without_tokens_are_refused():
    model = TextOnly(TextOnlyConfig(text_source="transcript"), DATA.info)
    with pytest.raises(ValueError, match="call tokenise"):
        model(DATA.test)


def test_its_vector_is_a_linear_layer_on_the_last_state_of_an_lstm():
    model = TextOnly(TextOnlyConfig(width=8), DATA.info).eval()
    sequence = DATA.test.text
    row, length = 3, int(DATA.test.text.lengths[3])
    states, _ = model.text_vector.state.layers[0](sequence.values[row, :length])
    weight, bias = (value.detach().numpy() for value in model.text_vector.linear.parameters())
    expected = states[-1].detach().numpy() @ weight.T + bias
    np.testing.assert_allclose(model(DATA.test).embedding[row].detach().numpy(), expected, atol=1e-6)
