"""How far the labels that each modality predicts are from the one that is right."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn.functional import one_hot

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs

PARTS = ("audio_class_logits", "vision_class_logits")


class LabelRegressionConfig(LossConfig):
    """Whether distances are squared."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(PARTS)
    labels: ClassVar[bool] = True

    squared: bool = Field(False, description="squared distances in place of distances")


@LOSSES.register(
    "label_regression",
    config=LabelRegressionConfig,
    paper="Zhen et al., CVPR 2019, DSCMR, loss of the label space (J1)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class LabelRegression(nn.Module):
    """The sum over both modalities of the mean of |p - y|, p predicted and y one-hot, both of K numbers.

    The mean of each clip's distance, as in the public code; the paper, from memory, divides the
    Frobenius norm of the whole batch by its size, which no two batches of different sizes agree on.
    """

    def __init__(self, config: LabelRegressionConfig, info: DataInfo) -> None:
        super().__init__()
        self.squared = config.squared

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from predicted labels (B, K) of each modality and target (B,)."""
        predicted = precise(torch.stack([outputs.part(name) for name in PARTS]))
        errors = predicted - one_hot(batch.target, predicted.shape[2])
        distances = vector_norm(errors, dim=2)
        return (errors.square().sum(2) if self.squared else distances).sum(0).mean()
