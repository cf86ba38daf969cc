"""The text-only control against the text sub-network of the fusion baseline that it controls."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from baselines.sentiment.late_fusion import LateFusion, LateFusionConfig
from baselines.sentiment.text_only import TextOnly, TextOnlyConfig

DATA = Toy(ToyConfig()).load()
SOURCES = ("features", "transcript")


def rows(model, batch):
    return model(model.tokenise(batch))


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_the_text_sub_network_of_late_fusion(source):
    alone = TextOnly(TextOnlyConfig(text_source=source, width=8), DATA.info).eval()
    fusion = LateFusion(LateFusionConfig(text_source=source, text_width=8), DATA.info).eval()
    alone.text.load_state_dict(fusion.text.state_dict())
    fused = rows(fusion, DATA.test).embedding
    assert rows(alone, DATA.test).embedding.equal(fused[:, :8])


@pytest.mark.parametrize("source", SOURCES)
def test_its_defaults_are_those_of_late_fusion(source):
    sizes = [
        {name: value.shape for name, value in model.text.state_dict().items()}
        for model in (
            TextOnly(TextOnlyConfig(text_source=source), DATA.info),
            LateFusion(LateFusionConfig(text_source=source), DATA.info),
        )
    ]
    assert sizes[0] == sizes[1]


def test_its_score_is_a_layer_of_gelus_and_a_sum_over_its_vector():
    model = TextOnly(TextOnlyConfig(width=8), DATA.info).eval()
    outputs = model(DATA.test)
    assert model.head(outputs.embedding).squeeze(1).equal(outputs.score)
    assert [tuple(value.shape) for value in model.head.parameters()] == [(8, 8), (8,), (1, 8), (1,)]


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
    states, _ = model.text.state.lstm(sequence.values[row, :length])
    weight, bias = (value.detach().numpy() for value in model.text.linear.parameters())
    expected = states[-1].detach().numpy() @ weight.T + bias
    np.testing.assert_allclose(model(DATA.test).embedding[row].detach().numpy(), expected, atol=1e-6)
