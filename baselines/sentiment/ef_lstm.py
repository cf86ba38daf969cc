"""EF-LSTM: the modalities side by side at each step, through one LSTM."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.sentiment.base import AlignedBaseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT, AlignedConfig
from harness.nn.dropout import BitDropout
from harness.nn.sequence import LastState
from harness.nn.step_norm import StepNorm
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs, Padded


class EFLSTMConfig(AlignedConfig):
    """Sizes of the LSTM, and what stands before it."""

    hidden: int = Field(128, ge=1, description="width of the LSTM and of the head's hidden layer")
    layers: int = Field(1, ge=1, description="stacked LSTM layers")
    dropout: float = Field(
        0.5, ge=0, lt=1, description="between LSTM layers, of the last state and before the score"
    )
    norm: Literal["paper", "peer"] = Field(
        "paper",
        description="paper: inputs as they are; peer: each step normalised over the batch and over all "
        "features together",
    )


@BASELINES.register(
    "ef_lstm",
    config=EFLSTMConfig,
    paper="EF-LSTM, the early fusion baseline of Zadeh et al. 2018, arXiv 1802.00927, section 4",
    tiny={**TINY_TEXT, "hidden": 4, "layers": 2, "align": "pool"},
    space={
        **TEXT_SPACE,
        "hidden": IntSpace(low=16, high=256, log=True),
        "layers": IntSpace(low=1, high=4),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class EFLSTM(AlignedBaseline):
    """Early fusion: one sequence of joined features, its last state, a head."""

    def __init__(self, config: EFLSTMConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        joined = self.text.width + info.width("vision") + info.width("audio")
        self.norm = StepNorm(self.text.steps) if config.norm == "peer" else nn.Identity()
        self.state = LastState(joined, config.hidden, config.layers, config.dropout)
        self.dropout = BitDropout(config.dropout)
        self.hidden = nn.Linear(config.hidden, config.hidden)
        self.out = nn.Linear(config.hidden, 1)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the last state (B, D)."""
        state = self.state(self.norm(joined(*self.sequences(batch))))
        inner = self.hidden(self.dropout(state)).relu()
        score: Tensor = self.out(self.dropout(inner))
        return Outputs(score.squeeze(1), embedding=state)


def joined(text: Padded, vision: Padded, audio: Padded) -> Padded:
    """Features (B, T, Dt + Dv + Da) at the steps of the text."""
    values = torch.cat((text.values, vision.values, audio.values), dim=2)
    return Padded(values.masked_fill(~text.mask.unsqueeze(2), 0), text.mask)
