"""Whether what is fused tells each modality of a clip from that of other clips."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import products, units
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("text", "vision", "audio")


class CPCConfig(LossConfig):
    """What a clip's prediction is told from."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(
        {f"{name}_{kind}" for name in MODALITIES for kind in ("vector", "prediction")}
    )
    relational: ClassVar[bool] = True

    negatives: Literal["paper", "peer"] = Field(
        "paper",
        description="paper = a prediction among the vectors of all clips, peer = a vector among the "
        "predictions of all clips",
    )


@LOSSES.register(
    "cpc",
    config=CPCConfig,
    paper="van den Oord et al. 2018, arXiv 1807.03748, equation 4; between fused and single modalities "
    "as in Han, Chen and Poria 2021, MMIM, arXiv 2109.00412, section 3.4",
    tiny={},
    space={"weight": FloatSpace(low=0.01, high=1, log=True)},
)
class CPC(nn.Module):
    """-log of the share of a clip's own vector in e^cosine with its prediction, over the batch.

    The mean over clips, summed over text, vision and audio; predictions are what the model makes of
    the fused vector.
    """

    def __init__(self, config: CPCConfig, info: DataInfo) -> None:
        super().__init__()
        self.negatives = config.negatives

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from vector and prediction (B, D) of each modality."""
        return torch.stack([self._error(outputs, name) for name in MODALITIES]).sum()

    def _error(self, outputs: Outputs, name: str) -> Tensor:
        vectors, predictions = outputs.part(f"{name}_vector"), outputs.part(f"{name}_prediction")
        if len(vectors) < 2:
            return costs_nothing(vectors) + costs_nothing(predictions)
        likeness = products(units(predictions), units(vectors))
        among = 1 if self.negatives == "paper" else 0
        return (likeness.logsumexp(among) - likeness.diagonal()).mean()
