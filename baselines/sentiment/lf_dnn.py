"""LF-DNN: a sub-network a modality, their vectors side by side, a head."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from baselines.sentiment.config import TINY_TEXT
from baselines.sentiment.vectors import VECTORS_SPACE, VectorsBaseline, VectorsConfig
from harness.nn.dropout import BitDropout
from harness.nn.mlp import mlp
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs


class LFDNNConfig(VectorsConfig):
    """Sizes of the sub-networks and of the head."""

    head_width: int = Field(32, ge=1, description="width of the head's two hidden layers")
    fusion_dropout: float = Field(0.2, ge=0, lt=1, description="of the fused vector")


@BASELINES.register(
    "lf_dnn",
    config=LFDNNConfig,
    paper="LF-DNN, as in Cambria et al. 2017, arXiv 1707.09538; sub-networks of TFN, arXiv 1707.07250",
    tiny={
        **TINY_TEXT,
        "text_hidden": 4,
        "text_width": 4,
        "vision_width": 4,
        "audio_width": 4,
        "head_width": 4,
    },
    space={
        **VECTORS_SPACE,
        "text_hidden": IntSpace(low=8, high=256, log=True),
        "text_width": IntSpace(low=8, high=256, log=True),
        "vision_width": IntSpace(low=8, high=128, log=True),
        "audio_width": IntSpace(low=4, high=64, log=True),
        "head_width": IntSpace(low=8, high=128, log=True),
        "fusion_dropout": FloatSpace(low=0, high=0.5),
    },
)
class LFDNN(VectorsBaseline):
    """Text through an LSTM, vision and audio through their means, fused by concatenation."""

    def __init__(self, config: LFDNNConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        fused = config.text_width + config.vision_width + config.audio_width
        self.dropout = BitDropout(config.fusion_dropout)
        self.head = mlp((fused, config.head_width, config.head_width, 1), activation=nn.ReLU)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the fused vector (B, Dt + Dv + Da)."""
        fused = torch.cat(self.vectors(batch), dim=1)
        return Outputs(self.head(self.dropout(fused)).squeeze(1), embedding=fused)
