"""Late fusion: a sub-network a modality, their vectors side by side, a head."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from baselines.sentiment.parts import TEXT_SPACE, BaselineConfig, TextEntry
from harness.nn.mlp import mlp
from harness.nn.sequence import MeanState
from harness.registry import BASELINES
from harness.spec import IntSpace
from harness.types import Batch, DataInfo, Outputs


class LateFusionConfig(BaselineConfig):
    """Widths of the three sub-networks and of the head."""

    text_width: int = Field(32, ge=1, description="width of the text vector")
    vision_width: int = Field(32, ge=1, description="width of the vision vector")
    audio_width: int = Field(16, ge=1, description="width of the audio vector")
    head_width: int = Field(32, ge=1, description="width of the head's hidden layer")


@BASELINES.register(
    "late_fusion",
    config=LateFusionConfig,
    paper="LF-DNN, as in Cambria et al., arXiv 1707.09538",
    tiny={"text_width": 4, "vision_width": 4, "audio_width": 4, "head_width": 4, "vocabulary": 300},
    space={
        **TEXT_SPACE,
        "text_width": IntSpace(low=8, high=128, log=True),
        "vision_width": IntSpace(low=8, high=128, log=True),
        "audio_width": IntSpace(low=4, high=64, log=True),
        "head_width": IntSpace(low=8, high=128, log=True),
    },
)
class LateFusion(nn.Module):
    """Text through an LSTM, vision and audio through their means, fused by concatenation."""

    def __init__(self, config: LateFusionConfig, info: DataInfo) -> None:
        super().__init__()
        self.text = TextEntry(config, config.text_width, info)
        self.vision = MeanState(info.width("vision"), config.vision_width, config.dropout)
        self.audio = MeanState(info.width("audio"), config.audio_width, config.dropout)
        fused = config.text_width + config.vision_width + config.audio_width
        self.dropout = nn.Dropout(config.dropout)
        self.head = mlp((fused, config.head_width, config.head_width, 1), config.dropout)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with tokens, when the text is read as words."""
        return self.text.tokenise(batch)

    def tokenizer_json(self) -> str | None:
        """The tokenizer that the words were read with, if they were."""
        return self.text.tokenizer_json()

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the fused vector (B, D)."""
        fused = torch.cat((self.text(batch), self.vision(batch.vision), self.audio(batch.audio)), dim=1)
        return Outputs(self.head(self.dropout(fused)).squeeze(1), embedding=fused)
