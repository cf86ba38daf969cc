"""TFN: the outer product of three modality vectors, each with a one beside it."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.sentiment.parts import TEXT_SPACE, BaselineConfig, TextEntry
from harness.nn.mlp import mlp
from harness.nn.sequence import MeanState
from harness.registry import BASELINES
from harness.spec import IntSpace
from harness.types import Batch, DataInfo, Outputs


class TFNConfig(BaselineConfig):
    """Widths of the sub-networks, whose product the fused vector has, and of the head."""

    text_width: int = Field(32, ge=1, description="width of the text vector")
    vision_width: int = Field(8, ge=1, description="width of the vision vector")
    audio_width: int = Field(4, ge=1, description="width of the audio vector")
    head_width: int = Field(32, ge=1, description="width of the head's two hidden layers")


@BASELINES.register(
    "tfn",
    config=TFNConfig,
    paper="Zadeh et al. 2017, Tensor Fusion Network, arXiv 1707.07250, equation 2",
    tiny={"text_width": 4, "vision_width": 3, "audio_width": 2, "head_width": 4, "vocabulary": 300},
    space={
        **TEXT_SPACE,
        # The fused vector has the product of these widths.
        "text_width": IntSpace(low=8, high=64, log=True),
        "vision_width": IntSpace(low=4, high=16, log=True),
        "audio_width": IntSpace(low=2, high=16, log=True),
        "head_width": IntSpace(low=8, high=128, log=True),
    },
)
class TFN(nn.Module):
    """Uni-, bi- and trimodal products in one vector, then a feed-forward head.

    The head's output is linear. The authors' sigmoid, scaled to [-3, 3], would tie the model to
    one label range.
    """

    def __init__(self, config: TFNConfig, info: DataInfo) -> None:
        super().__init__()
        self.text = TextEntry(config, config.text_width, info)
        self.vision = MeanState(info.width("vision"), config.vision_width, config.dropout)
        self.audio = MeanState(info.width("audio"), config.audio_width, config.dropout)
        fused = (config.text_width + 1) * (config.vision_width + 1) * (config.audio_width + 1)
        self.dropout = nn.Dropout(config.dropout)
        self.head = mlp((fused, config.head_width, config.head_width, 1))

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with tokens, when the text is read as words."""
        return self.text.tokenise(batch)

    def tokenizer_json(self) -> str | None:
        """The tokenizer that the words were read with, if they were."""
        return self.text.tokenizer_json()

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the fused vector (B, (Dt + 1)(Dv + 1)(Da + 1))."""
        fused = tensor_fusion(self.text(batch), self.vision(batch.vision), self.audio(batch.audio))
        return Outputs(self.head(self.dropout(fused)).squeeze(1), embedding=fused)


def tensor_fusion(text: Tensor, vision: Tensor, audio: Tensor) -> Tensor:
    """[text; 1] ⊗ [vision; 1] ⊗ [audio; 1], flattened to (B, (Dt + 1)(Dv + 1)(Da + 1))."""
    one = text.new_ones(len(text), 1)
    t, v, a = (torch.cat((vector, one), dim=1) for vector in (text, vision, audio))
    return torch.einsum("bi,bj,bk->bijk", t, v, a).flatten(1)
