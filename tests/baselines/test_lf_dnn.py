"""LF-DNN: which vector stands where, and what the head makes of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import Toy, ToyConfig

from baselines.sentiment.lf_dnn import LFDNN, LFDNNConfig

DATA = Toy(ToyConfig()).load()
WIDTHS = {"text": 6, "vision": 5, "audio": 3}


@pytest.fixture
def model():
    torch.manual_seed(0)
    sizes = {f"{name}_width": width for name, width in WIDTHS.items()}
    return LFDNN(LFDNNConfig(**sizes, head_width=4), DATA.info).eval()


def test_text_vision_and_audio_stand_side_by_side_in_that_order(model):
    text, vision, audio = model(DATA.test).embedding.split(tuple(WIDTHS.values()), dim=1)
    assert text.equal(model.text_vector(DATA.test.text))
    assert vision.equal(model.vision_vector(DATA.test.vision))
    assert audio.equal(model.audio_vector(DATA.test.audio))


@pytest.mark.parametrize("view", WIDTHS)
def test_a_modality_moves_its_own_part_only(model, view):
    sequence = getattr(DATA.test, view)
    moved = replace(
        DATA.test, **{view: replace(sequence, values=sequence.values + sequence.mask.unsqueeze(2))}
    )
    before, after = (
        model(batch).embedding.split(tuple(WIDTHS.values()), dim=1) for batch in (DATA.test, moved)
    )
    assert [
        name for name, old, new in zip(WIDTHS, before, after, strict=True) if not old.equal(new)
    ] == [view]


def test_the_score_is_two_rectified_layers_and_a_sum_over_the_fused_vector(model):
    outputs = model(DATA.test)
    state = outputs.embedding.detach().numpy()
    layers = [layer for layer in model.head if isinstance(layer, torch.nn.Linear)]
    assert [tuple(layer.weight.shape) for layer in layers] == [(4, 14), (4, 4), (1, 4)]
    for last, layer in zip((False, False, True), layers, strict=True):
        state = state @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        state = state if last else np.maximum(state, 0)
    np.testing.assert_allclose(outputs.score.detach().numpy(), state[:, 0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("dropout", "part"), [("dropout", "vision"), ("text_dropout", "text"), ("fusion_dropout", None)]
)
def test_a_dropout_acts_where_it_says(dropout, part):
    off = {"dropout": 0, "text_dropout": 0, "fusion_dropout": 0}
    model = LFDNN(LFDNNConfig(**{**off, dropout: 0.9}), DATA.info).train()
    first, second = model(DATA.test), model(DATA.test)
    halves = (found.embedding.split((32, 32, 16), dim=1) for found in (first, second))
    text, vision, _ = (one.equal(other) for one, other in zip(*halves, strict=True))
    assert (text, vision) == (part != "text", part != "vision")
    assert not first.score.equal(second.score)


def test_data_without_a_modality_are_refused_by_name():
    deaf = replace(DATA.info, audio_width=None, views=DATA.info.views - {"audio"})
    with pytest.raises(ValueError, match="no audio features"):
        LFDNN(LFDNNConfig(), deaf)
