"""DSCMR: towers that end in one layer for both modalities, and one classifier for both."""

from __future__ import annotations

from pydantic import Field
from torch import nn
from torch.nn.functional import relu

from harness.nn.retrieval.told import LABELS, labels, told
from harness.nn.retrieval.towers import Towers, TowersConfig
from harness.spec import FloatSpace, IntSpace, OutputName, Space
from harness.types import Batch, DataInfo, Outputs

SPACE: dict[str, Space] = {
    "width": IntSpace(low=16, high=1024, log=True),
    "hidden": IntSpace(low=64, high=2048, log=True),
    "layers": IntSpace(low=1, high=3),
    "dropout": FloatSpace(low=0, high=0.5),
}


class SharedTowersConfig(TowersConfig):
    """Sizes of the towers."""

    layers: int = Field(
        1, ge=1, le=8, description="linear layers of each modality's own, before the one of both"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="share of hidden units dropped in training")

    def gives(self) -> frozenset[OutputName]:
        """Also the clip as a whole, for losses that compare clips with each other."""
        return super().gives() | {"embedding"}

    def parts(self) -> frozenset[str]:
        """Predicted labels of each modality."""
        return LABELS


class SharedTowers(nn.Module):
    """u = W h_a(sound), v = W h_v(pictures), labels P u and P v, with one W and one P for both.

    h_a and h_v are rectified layers of each modality's own. P predicts labels by a linear map,
    in training only; there is nothing between W and P, as in the public code.
    """

    def __init__(self, config: SharedTowersConfig, info: DataInfo) -> None:
        super().__init__()
        self.own = Towers(config, info, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.common = nn.Linear(config.hidden, config.width)
        self.classifier = nn.Linear(config.width, len(info.classes))

    def forward(self, batch: Batch) -> Outputs:
        """Both vectors (B, D), the clip (B, 2 D) and, in training, predicted labels of each (B, K)."""
        audio, vision = (self.common(self.dropout(relu(own))) for own in self.own(batch))
        return told(audio, vision, labels(self.classifier, audio, vision) if self.training else {})
