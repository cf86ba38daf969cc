"""EF-LSTM: what its LSTM reads at each step, and how its score comes of the last state."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.ef_lstm import EFLSTM, EFLSTMConfig
from harness.nn.align import pooled
from harness.spec import BadInput

DATA = Toy(ToyConfig()).load()


def model(**params):
    torch.manual_seed(0)
    return EFLSTM(EFLSTMConfig(hidden=6, align="pool", **params), DATA.info).eval()


@pytest.mark.parametrize("layers", [1, 3])
def test_its_vector_is_the_last_state_of_an_lstm_over_joined_features(layers):
    lstm, batch = model(layers=layers), DATA.test
    vision, audio = (pooled(view, batch.text) for view in (batch.vision, batch.audio))
    found = lstm(batch).embedding
    for row, length in enumerate(batch.text.lengths.tolist()):
        parts = [view.values[row, :length] for view in (batch.text, vision, audio)]
        states = torch.cat(parts, dim=1)
        for layer in lstm.state.layers:
            states, _ = layer(states)
        assert_close(found[row], states[-1])


def test_its_score_is_a_rectified_layer_and_a_sum_over_the_last_state():
    lstm = model()
    outputs = lstm(DATA.test)
    inner = (outputs.embedding @ lstm.hidden.weight.T + lstm.hidden.bias).relu()
    assert_close(outputs.score, inner @ lstm.out.weight[0] + lstm.out.bias)


def test_features_that_are_not_aligned_are_refused_with_what_can_be_done():
    with pytest.raises(BadInput, match="align: pool"):
        EFLSTM(EFLSTMConfig(), DATA.info)


def test_with_the_peers_norm_a_factor_on_all_features_does_not_count_in_training():
    lstm = model(norm="peer", dropout=0).train()
    batch = DATA.test
    louder = {
        view: replace(getattr(batch, view), values=getattr(batch, view).values * 100)
        for view in ("text", "vision", "audio")
    }
    assert_close(lstm(replace(batch, **louder)).score, lstm(batch).score, rtol=1e-3, atol=1e-4)
    assert model(norm="paper")(replace(batch, **louder)).score.ne(model()(batch).score).any()
