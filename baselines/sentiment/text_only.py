"""The text-only control: the text sub-network of the fusion baselines, alone."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from baselines.sentiment.parts import TEXT_SPACE, BaselineConfig, TextEntry
from harness.nn.mlp import mlp
from harness.registry import BASELINES
from harness.spec import IntSpace, View
from harness.types import Batch, DataInfo, Outputs


class TextOnlyConfig(BaselineConfig):
    """The text part of `late_fusion`, with the same sizes by default."""

    width: int = Field(32, ge=1, description="width of the text vector and of the head")

    def needs(self) -> frozenset[View]:
        """Words, as tokens or as features."""
        return frozenset({self.text_view()})


@BASELINES.register(
    "text_only",
    config=TextOnlyConfig,
    paper="control of the fusion baselines; sub-network of TFN, arXiv 1707.07250",
    tiny={"width": 4, "embedding": 4, "vocabulary": 300},
    space={**TEXT_SPACE, "width": IntSpace(low=8, high=128, log=True)},
)
class TextOnly(nn.Module):
    """What a fusion baseline would reach if it saw the words alone."""

    def __init__(self, config: TextOnlyConfig, info: DataInfo) -> None:
        super().__init__()
        self.text = TextEntry(config, config.width, info)
        self.head = mlp((config.width, config.width, 1), config.dropout)
        self.dropout = nn.Dropout(config.dropout)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with tokens, when the text is read as words."""
        return self.text.tokenise(batch)

    def tokenizer_json(self) -> str | None:
        """The tokenizer that the words were read with, if they were."""
        return self.text.tokenizer_json()

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and text vector (B, D)."""
        vector = self.dropout(self.text(batch))
        return Outputs(self.head(vector).squeeze(1), embedding=vector)
