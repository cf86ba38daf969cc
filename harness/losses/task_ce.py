"""Cross-entropy on sentiment levels."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harness.nn.compare.levels import nearest_level
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class TaskCEConfig(LossConfig):
    """No parameters; the number of levels is the model's number of class logits."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    labels: ClassVar[bool] = True


@LOSSES.register(
    "task_ce",
    config=TaskCEConfig,
    paper="VideoAdviser, arXiv 2309.15494 (our reading)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class TaskCE(nn.Module):
    """The cross-entropy of class logits (B, K) with the level that the label rounds to."""

    def __init__(self, config: TaskCEConfig, info: DataInfo) -> None:
        super().__init__()
        self.label_range = info.label_range

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from class_logits (B, K) and target (B,)."""
        logits = outputs.tensor("class_logits")
        return cross_entropy(logits, nearest_level(batch.target, self.label_range, logits.shape[1]))
