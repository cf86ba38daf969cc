"""Decoupled knowledge distillation: the target class and the other classes apart."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import kl_div, one_hot

from harness.nn.compare.levels import nearest_level
from harness.nn.compare.pair import pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class DKDConfig(LossConfig):
    """The weights of the two parts, and how soft both sides are."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    labels: ClassVar[bool] = True

    alpha: float = Field(1.0, ge=0, description="weight of the target class against all others")
    beta: float = Field(8.0, ge=0, description="weight of the other classes among themselves")
    temperature: float = Field(4.0, gt=0, description="T, by which both sides' logits are divided")


@LOSSES.register(
    "dkd",
    config=DKDConfig,
    paper="Zhao et al., CVPR 2022, arXiv 2203.08679, equation 7",
    tiny={},
    space={
        # alpha stays: the weight and beta already say how much each part counts.
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "beta": FloatSpace(low=0.5, high=16, log=True),
        "temperature": FloatSpace(low=1, high=8, log=True),
    },
)
class DKD(nn.Module):
    """T^2 (alpha TCKD + beta NCKD), classical distillation with its two parts weighted freely.

    TCKD is the KL divergence between (p_t, 1 - p_t) of teacher and student, t the level that the label
    rounds to; NCKD the one between their distributions over the other levels alone. With alpha = 1 and
    beta = 1 - p_t of the teacher, clip by clip, it is `kl`. The factor T^2 is the one of `kl`.
    """

    def __init__(self, config: DKDConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.label_range = info.label_range

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from both sides' class_logits (B, K), K at least 2, and target (B,)."""
        logits = pair("class_logits", outputs, advice)
        count = logits[0].shape[1]
        level = nearest_level(batch.target, self.label_range, count)
        target = one_hot(level, count).bool()
        student, teacher = (_parts(side / self.config.temperature, target) for side in logits)
        tckd, nckd = (
            kl_div(of_student, of_teacher, reduction="batchmean", log_target=True)
            for of_student, of_teacher in zip(student, teacher, strict=True)
        )
        return self.config.temperature**2 * (self.config.alpha * tckd + self.config.beta * nckd)


def _parts(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2) logs of p_t and 1 - p_t, and (B, K - 1) logs of the shares among the other levels."""
    rest = logits[~target].view(len(logits), -1)
    both = torch.stack((logits[target], rest.logsumexp(1)), dim=1)
    return both.log_softmax(1), rest.log_softmax(1)
