"""EF-LSTM with the peer's normalisation of each step."""

from __future__ import annotations

from types import SimpleNamespace

from MMSA.models.singleTask.EF_LSTM import EF_LSTM
from pairing import STEPS, WIDTHS, Pair, absolute_errors, clips, in_order, info

from baselines.sentiment.ef_lstm import EFLSTM, EFLSTMConfig

HIDDEN, LAYERS = 6, 2
GIVEN = {view: WIDTHS[view] for view in ("text", "audio", "vision")}


def pair() -> Pair:
    """The pair at small sizes."""
    batch = clips()
    port = EFLSTM(EFLSTMConfig(hidden=HIDDEN, layers=LAYERS, dropout=0.0, norm="peer"), info(batch))
    peer = EF_LSTM(
        SimpleNamespace(
            feature_dims=list(GIVEN.values()),
            seq_lens=STEPS,
            hidden_dims=HIDDEN,
            num_layers=LAYERS,
            dropout=0.0,
            train_mode="regression",
        )
    )

    def score():
        return peer(batch.text.values, batch.audio.values, batch.vision.values)["M"].squeeze(1)

    return Pair(
        port,
        peer,
        names(),
        batch,
        score,
        absolute_errors(port, batch, score),
        layouts={"state.layers.0.weight_ih_l0": in_order(GIVEN, ("text", "vision", "audio"))},
    )


def names() -> dict[str, str]:
    """The weights of the port to those of the peer."""
    statistics = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    found = {f"norm.{name}": f"norm.{name}" for name in statistics}
    for kind in ("weight", "bias"):
        found[f"hidden.{kind}"], found[f"out.{kind}"] = f"linear.{kind}", f"out.{kind}"
        for of in ("ih", "hh"):
            for layer in range(LAYERS):
                found[f"state.layers.{layer}.{kind}_{of}_l0"] = f"lstm.{kind}_{of}_l{layer}"
    return found
