"""Cross-entropy on sentiment levels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harness.registry import LOSSES
from harness.spec import LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class TaskCEConfig(LossConfig):
    """No parameters; the number of levels is the model's number of class logits."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    labels: ClassVar[bool] = True


def nearest_level(target: Tensor, label_range: tuple[float, float], count: int) -> Tensor:
    """(B,) index of the level that each target (B,) rounds to.

    The levels are evenly spaced over the label range; a target half-way between two rounds to the
    even index offset, as Acc-7 does on [-3, 3].
    """
    low, high = label_range
    step = (high - low) / (count - 1)
    middle = (low + high) / 2
    offset = torch.round((target - middle) / step) if count % 2 else torch.round((target - low) / step)
    index = offset + (count - 1) // 2 if count % 2 else offset
    return index.long().clamp(0, count - 1)


@LOSSES.register(
    "task_ce", config=TaskCEConfig, paper="VideoAdviser, arXiv 2309.15494 (our reading)", tiny={}
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
