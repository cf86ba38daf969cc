"""The match score of a pair of clips, regressed on whether they are of one class."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from harness.nn.compare.geometry import others
from harness.nn.compare.match import match_logits
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class MatchRegressionConfig(LossConfig):
    """The distance, and what pairs of one class weigh beside the others."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"match"})
    labels: ClassVar[bool] = True
    relational: ClassVar[bool] = True

    kind: Literal["mse", "bce"] = Field(
        "mse", description="squared difference of the scores, or cross-entropy of their logits"
    )
    balanced: bool = Field(
        False,
        description="pairs of one class weigh as much together as all other pairs together, which puts "
        "scores above the shares of pairs that they are of",
    )


@LOSSES.register(
    "match_regression",
    config=MatchRegressionConfig,
    paper="VideoAdviser, arXiv 2309.15494 (our reading)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class MatchRegression(nn.Module):
    """The mean of (m_ij - [class_i = class_j])^2 over a batch's pairs of different clips.

    Or of the cross-entropy of the match logits. Balanced it is half the mean over pairs of one class and
    half that over the others, of which there are about K - 1 times as many; where a batch has pairs of
    one kind only, their mean. What a clip has to do with itself is not asked.
    """

    def __init__(self, config: MatchRegressionConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from match factors (B, M + 1) and target (B,)."""
        factors = outputs.tensor("match")
        if len(factors) < 2:
            return costs_nothing(factors)
        logits = others(match_logits(factors))
        is_same = others(batch.target.unsqueeze(1) == batch.target)
        cost = self._cost(logits, is_same.to(logits.dtype))
        if not self.config.balanced or is_same.all() or not is_same.any():
            return cost.mean()
        return (cost[is_same].mean() + cost[~is_same].mean()) / 2

    def _cost(self, logits: Tensor, wanted: Tensor) -> Tensor:
        if self.config.kind == "bce":
            return binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        return (logits.sigmoid() - wanted).square()
