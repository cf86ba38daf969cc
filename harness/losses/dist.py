"""Distillation from a stronger teacher: correlations of class probabilities."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import centred, units
from harness.nn.compare.pair import costs_nothing, pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class DISTConfig(LossConfig):
    """The weights of the two relations, and how soft both sides are."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    relational: ClassVar[bool] = True

    beta: float = Field(1.0, ge=0, description="weight of the inter-class relation, within each clip")
    gamma: float = Field(1.0, ge=0, description="weight of the intra-class relation, within each level")
    temperature: float = Field(1.0, gt=0, description="T, by which both sides' logits are divided")


@LOSSES.register(
    "dist",
    config=DISTConfig,
    paper="Huang et al., NeurIPS 2022, arXiv 2205.10536, inter- and intra-class relation",
    tiny={},
    space={
        # beta and the weight say the rest: only the relation of the two matters.
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "gamma": FloatSpace(low=0.1, high=10, log=True),
        "temperature": FloatSpace(low=0.5, high=8, log=True),
    },
)
class DIST(nn.Module):
    """T^2 (beta (1 - rho of rows) + gamma (1 - rho of columns)), rho Pearson's, of class probabilities.

    A row holds a clip's levels (inter-class), a column a level's clips (intra-class); both terms are
    means. Positive affine maps of rows or columns cost nothing, so a stronger teacher need not be
    matched exactly. A constant row or column correlates with nothing: it costs 1 and does not pull. A
    batch of one clip costs nothing, for it has no intra-class relation.
    """

    def __init__(self, config: DISTConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's and the teacher's class_logits (B, K)."""
        logits = pair("class_logits", outputs, advice)
        if len(logits[0]) < 2:
            return costs_nothing(logits[0])
        student, teacher = ((side / self.config.temperature).softmax(1) for side in logits)
        inter = 1 - correlations(student, teacher).mean()
        intra = 1 - correlations(student.mT, teacher.mT).mean()
        return self.config.temperature**2 * (self.config.beta * inter + self.config.gamma * intra)


def correlations(left: Tensor, right: Tensor) -> Tensor:
    """(n,) Pearson's correlations of the rows of (n, m) with those of another; 0 for a constant row."""
    return (units(centred(left, 1)) * units(centred(right, 1))).sum(1)
