"""Relational knowledge distillation by angles between three clips."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import huber_loss

from harness.nn.compare.geometry import products, units
from harness.nn.compare.pair import costs_nothing, pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class RKDAngleConfig(LossConfig):
    """Where Huber's square ends."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    relational: ClassVar[bool] = True

    delta: float = Field(1.0, gt=0, le=2, description="difference of cosines that is still squared")


@LOSSES.register(
    "rkd_angle",
    config=RKDAngleConfig,
    paper="Park et al., CVPR 2019, arXiv 1904.05068, section 3.2.2 (angle-wise loss)",
    tiny={},
    space={
        "weight": FloatSpace(low=1, high=100, log=True),
        "delta": FloatSpace(low=0.25, high=2, log=True),
    },
)
class RKDAngle(nn.Module):
    """Huber's loss between both sides' cosines of the angle i j k, for all triples of a batch's clips.

    The mean over ordered triples of different clips, where the paper sums; memory grows with B^3. It
    does not change with shifts, rotations and a common scale of either side's embeddings. Where two
    clips coincide there is no angle: its cosine counts as 0. Fewer than three clips cost nothing.
    """

    def __init__(self, config: RKDAngleConfig, info: DataInfo) -> None:
        super().__init__()
        self.delta = config.delta

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's embedding (B, D) and the teacher's embedding (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        if len(student) < 3:
            return costs_nothing(student)
        total = huber_loss(_cosines(student), _cosines(teacher), reduction="sum", delta=self.delta)
        return total / math.perm(len(student), 3)


def _cosines(points: Tensor) -> Tensor:
    """(B, B, B) cosines by vertex j and ends i, k; zero where two of the three are the same clip."""
    edges = units(points.unsqueeze(0) - points.unsqueeze(1))
    same_ends = torch.eye(len(points), dtype=torch.bool, device=points.device)
    return products(edges, edges).masked_fill(same_ends, 0)
