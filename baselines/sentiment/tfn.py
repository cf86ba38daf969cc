"""TFN: the outer product of three modality vectors, each with a one beside it."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.sentiment.config import TINY_TEXT
from baselines.sentiment.vectors import VECTORS_SPACE, VectorsBaseline, VectorsConfig
from harness.nn.dropout import BitDropout
from harness.nn.mlp import mlp
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs

Output = Literal["paper", "peer", "linear"]


class TFNConfig(VectorsConfig):
    """Sizes of the sub-networks, whose product the fused vector has, and of the head."""

    vision_width: int = Field(8, ge=1, description="width of the vision vector")
    audio_width: int = Field(4, ge=1, description="width of the audio vector")
    head_width: int = Field(32, ge=1, description="width of the head's two hidden layers")
    fusion_dropout: float = Field(0.2, ge=0, lt=1, description="of the fused vector")
    output: Output = Field(
        "paper",
        description="paper: a sigmoid scaled to the label range of the data; peer: one scaled to "
        "[-3, 3] whatever the data; linear: no bounds",
    )


@BASELINES.register(
    "tfn",
    config=TFNConfig,
    paper="Zadeh et al. 2017, Tensor Fusion Network, arXiv 1707.07250, equation 2",
    tiny={
        **TINY_TEXT,
        "text_hidden": 4,
        "text_width": 4,
        "vision_width": 3,
        "audio_width": 2,
        "head_width": 4,
    },
    space={
        **VECTORS_SPACE,
        "text_hidden": IntSpace(low=8, high=256, log=True),
        # The fused vector has the product of these widths.
        "text_width": IntSpace(low=8, high=64, log=True),
        "vision_width": IntSpace(low=4, high=16, log=True),
        "audio_width": IntSpace(low=2, high=16, log=True),
        "head_width": IntSpace(low=8, high=128, log=True),
        "fusion_dropout": FloatSpace(low=0, high=0.5),
    },
)
class TFN(VectorsBaseline):
    """Uni-, bi- and trimodal products in one vector, then a feed-forward head.

    The text vector is read from the last state of its LSTM, and inputs of vision and audio are
    normalised by batch, as in the authors' code; the paper joins the states of all steps.
    """

    score_range: Tensor
    score_shift: Tensor

    def __init__(self, config: TFNConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        fused = (config.text_width + 1) * (config.vision_width + 1) * (config.audio_width + 1)
        self.dropout = BitDropout(config.fusion_dropout)
        self.head = mlp((fused, config.head_width, config.head_width, 1), activation=nn.ReLU)
        self.is_bounded = config.output != "linear"
        lowest, highest = (-3.0, 3.0) if config.output == "peer" else info.label_range
        self.register_buffer("score_range", torch.tensor([highest - lowest]))
        self.register_buffer("score_shift", torch.tensor([lowest]))

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the fused vector (B, (Dt + 1)(Dv + 1)(Da + 1))."""
        fused = tensor_fusion(*self.vectors(batch))
        score = self.head(self.dropout(fused)).squeeze(1)
        if self.is_bounded:
            score = score.sigmoid() * self.score_range + self.score_shift
        return Outputs(score, embedding=fused)


def tensor_fusion(text: Tensor, vision: Tensor, audio: Tensor) -> Tensor:
    """[text; 1] ⊗ [vision; 1] ⊗ [audio; 1], flattened to (B, (Dt + 1)(Dv + 1)(Da + 1))."""
    one = text.new_ones(len(text), 1)
    t, v, a = (torch.cat((vector, one), dim=1) for vector in (text, vision, audio))
    pairs = (v.unsqueeze(2) * a.unsqueeze(1)).flatten(1)
    return (t.unsqueeze(2) * pairs.unsqueeze(1)).flatten(1)
