"""The text-only control: the text sub-network of LF-DNN, alone."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from baselines.sentiment.base import Baseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT, BaselineConfig
from harness.nn.dropout import BitDropout
from harness.nn.mlp import mlp
from harness.nn.sequence import ProjectedState
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace, View
from harness.types import Batch, DataInfo, Outputs


class TextOnlyConfig(BaselineConfig):
    """The text part of `lf_dnn` and a head, with the same sizes by default."""

    hidden: int = Field(32, ge=1, description="width of the LSTM that reads the text")
    width: int = Field(32, ge=1, description="width of the text vector")
    head_width: int = Field(32, ge=1, description="width of the head's two hidden layers")
    text_dropout: float = Field(0.2, ge=0, lt=1, description="of the last state of the text")
    dropout: float = Field(0.2, ge=0, lt=1, description="of the text vector")

    def needs(self) -> frozenset[View]:
        """Words, as tokens or as features."""
        return frozenset({self.text_view()})


@BASELINES.register(
    "text_only",
    config=TextOnlyConfig,
    paper="control of the fusion baselines; text sub-network of TFN, arXiv 1707.07250",
    tiny={**TINY_TEXT, "hidden": 4, "width": 4, "head_width": 4},
    space={
        **TEXT_SPACE,
        "hidden": IntSpace(low=8, high=256, log=True),
        "width": IntSpace(low=8, high=256, log=True),
        "head_width": IntSpace(low=8, high=128, log=True),
        "text_dropout": FloatSpace(low=0, high=0.5),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class TextOnly(Baseline):
    """What a fusion baseline would reach if it saw the words alone."""

    def __init__(self, config: TextOnlyConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.text_vector = ProjectedState(
            self.text.width, config.hidden, config.width, config.text_dropout
        )
        self.dropout = BitDropout(config.dropout)
        self.head = mlp((config.width, config.head_width, config.head_width, 1), activation=nn.ReLU)

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the text vector (B, D)."""
        vector = self.text_vector(self.text(batch))
        return Outputs(self.head(self.dropout(vector)).squeeze(1), embedding=vector)
