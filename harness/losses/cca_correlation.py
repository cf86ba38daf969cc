"""How far the sounds and pictures of a batch are from being perfectly correlated."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.pair import costs_nothing
from harness.nn.retrieval.correlation import canonical_correlations
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class CcaCorrelationConfig(LossConfig):
    """How the covariances of a batch are regularised."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"audio_embedding", "vision_embedding"})
    relational: ClassVar[bool] = True

    ridge: float = Field(
        1e-3,
        gt=0,
        le=100,
        description="added to each covariance's diagonal, in its mean variances; keeps a batch smaller "
        "than the width from being perfectly correlated for nothing",
    )


@LOSSES.register(
    "cca_correlation",
    config=CcaCorrelationConfig,
    paper="Andrew et al. 2013, Deep Canonical Correlation Analysis, ICML, equation 10",
    tiny={},
    space={
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "ridge": FloatSpace(low=1e-4, high=1, log=True),
    },
)
class CcaCorrelation(nn.Module):
    """D - the sum of the D canonical correlations of a batch's sounds and pictures, in [0, D].

    D is the width of the narrower embedding: the paper's objective, minus the sum, but for a constant.
    It does not change with invertible linear maps of either embedding, as far as the ridge is small. A
    batch of B clips estimates B - 1 directions at most, so it should have several times D clips. A clip
    alone costs nothing. The authors' ridge is a number, here it is a share of the mean variance.
    """

    def __init__(self, config: CcaCorrelationConfig, info: DataInfo) -> None:
        super().__init__()
        self.ridge = config.ridge

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from audio_embedding (B, D) and vision_embedding (B, D')."""
        audio, vision = outputs.tensor("audio_embedding"), outputs.tensor("vision_embedding")
        if len(audio) < 2:
            return costs_nothing(audio) + costs_nothing(vision)
        return (1 - canonical_correlations(audio, vision, self.ridge)).sum()
