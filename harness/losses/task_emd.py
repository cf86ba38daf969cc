"""Squared earth mover's distance of the class logits from the label."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import one_hot

from harness.nn.compare.geometry import precise
from harness.nn.compare.levels import level_shares, nearest_level, squared_emd
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class TaskEMDConfig(LossConfig):
    """What a label between two levels means."""

    task: ClassVar[TaskName | None] = "sentiment"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    labels: ClassVar[bool] = True

    interpolate: bool = Field(
        True, description="true shares a label between its two levels, false rounds it to the nearest"
    )


@LOSSES.register(
    "task_emd",
    config=TaskEMDConfig,
    paper="Hou et al. 2016, arXiv 1611.05916, squared EMD on ordered classes",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class TaskEMD(nn.Module):
    """The squared EMD between the class probabilities and the label's level, sum_k (P_k - Y_k)^2.

    P and Y are the cumulative shares of the K levels, which are evenly spaced over the label range:
    unlike for cross-entropy, a level next to the label's is a smaller fault than a distant one. The
    paper's labels are classes; that one between two levels is shared by the two is ours.
    """

    def __init__(self, config: TaskEMDConfig, info: DataInfo) -> None:
        super().__init__()
        self.interpolate = config.interpolate
        self.label_range = info.label_range

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from class_logits (B, K) and target (B,), in [0, K - 1]."""
        shares = precise(outputs.tensor("class_logits")).softmax(1)
        return squared_emd(shares, self._label(batch.target, shares.shape[1]).to(shares)).mean()

    def _label(self, target: Tensor, count: int) -> Tensor:
        if self.interpolate:
            return level_shares(target, self.label_range, count)
        return one_hot(nearest_level(target, self.label_range, count), count)
