"""Relational knowledge distillation by distances between clips."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import huber_loss

from harness.nn.compare.geometry import SHORTEST, distances, others
from harness.nn.compare.pair import costs_nothing, pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class RKDDistanceConfig(LossConfig):
    """Where Huber's square ends."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    relational: ClassVar[bool] = True

    delta: float = Field(1.0, gt=0, description="difference of relative distances that is still squared")


@LOSSES.register(
    "rkd_distance",
    config=RKDDistanceConfig,
    paper="Park et al., CVPR 2019, arXiv 1904.05068, section 3.2.1 (distance-wise loss)",
    tiny={},
    space={
        "weight": FloatSpace(low=1, high=100, log=True),
        "delta": FloatSpace(low=0.25, high=4, log=True),
    },
)
class RKDDistance(nn.Module):
    """Huber's loss between both sides' distances |i - j| / mu, mu their mean over the batch's pairs.

    The mean over ordered pairs of different clips, where the paper sums. It does not change with
    shifts, rotations and a common scale of either side's embeddings. Two clips are always one mean
    distance apart: they cost nothing. Clips in one place have relative distances of 0.
    """

    def __init__(self, config: RKDDistanceConfig, info: DataInfo) -> None:
        super().__init__()
        self.delta = config.delta

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's embedding (B, D) and the teacher's embedding (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        if len(student) < 2:
            return costs_nothing(student)
        return huber_loss(_relative(student), _relative(teacher), delta=self.delta)


def _relative(points: Tensor) -> Tensor:
    """(B, B - 1) distances from each clip to the others, in units of their mean."""
    found = others(distances(points))
    mean = found.mean()
    return found / torch.where(mean > SHORTEST, mean, 1)
