"""Huber's error against the label."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import huber_loss

from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, TaskName
from harness.types import Batch, DataInfo, Outputs


class TaskHuberConfig(LossConfig):
    """Where the square ends."""

    task: ClassVar[TaskName | None] = "sentiment"
    labels: ClassVar[bool] = True

    delta: float = Field(
        1.0, gt=0, description="distance, in units of the label, up to which the error is squared"
    )


@LOSSES.register(
    "task_huber",
    config=TaskHuberConfig,
    paper="Huber 1964, Annals of Mathematical Statistics 35 (1)",
    tiny={},
    space={"delta": FloatSpace(low=0.1, high=3, log=True)},
)
class TaskHuber(nn.Module):
    """The mean of e^2 / 2 for |e| <= delta and delta (|e| - delta / 2) beyond, e = score - target."""

    def __init__(self, config: TaskHuberConfig, info: DataInfo) -> None:
        super().__init__()
        self.delta = config.delta

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from score (B,) and target (B,)."""
        return huber_loss(outputs.tensor("score"), batch.target, delta=self.delta)
