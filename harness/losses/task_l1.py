"""Absolute error against the label."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.registry import LOSSES
from harness.spec import LossConfig, TaskName
from harness.types import Batch, DataInfo, Outputs


class TaskL1Config(LossConfig):
    """No parameters."""

    task: ClassVar[TaskName | None] = "sentiment"
    labels: ClassVar[bool] = True


@LOSSES.register(
    "task_l1", config=TaskL1Config, paper="VideoAdviser, arXiv 2309.15494 (our reading)", tiny={}
)
class TaskL1(nn.Module):
    """The mean of |score - target|, the regression term of teacher and student."""

    def __init__(self, config: TaskL1Config, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from score (B,) and target (B,)."""
        return (outputs.tensor("score") - batch.target).abs().mean()
