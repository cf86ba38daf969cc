"""Squared error against the label."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.registry import LOSSES
from harness.spec import LossConfig, TaskName
from harness.types import Batch, DataInfo, Outputs


class TaskMSEConfig(LossConfig):
    """No parameters."""

    task: ClassVar[TaskName | None] = "sentiment"
    labels: ClassVar[bool] = True


@LOSSES.register(
    "task_mse", config=TaskMSEConfig, paper="Legendre 1805 (the method of least squares)", tiny={}
)
class TaskMSE(nn.Module):
    """The mean of (score - target)^2, which asks for the mean of the labels where L1 asks the median."""

    def __init__(self, config: TaskMSEConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from score (B,) and target (B,)."""
        return (outputs.tensor("score") - batch.target).square().mean()
