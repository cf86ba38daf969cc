"""Contrastive representation distillation, with the batch in place of a memory bank."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from harness.nn.compare.geometry import others, products, units
from harness.nn.compare.pair import costs_nothing, pair
from harness.nn.compare.projection import Projection
from harness.registry import LOSSES
from harness.spec import FloatSpace, IntSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class CRDConfig(LossConfig):
    """The critic that tells a clip's own teacher vector from those of other clips."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"embedding"})
    relational: ClassVar[bool] = True

    width: int = Field(128, ge=1, description="D of the space that both embeddings are projected to")
    temperature: float = Field(0.07, gt=0, description="tau, by which the critic's cosines are divided")


@LOSSES.register(
    "crd",
    config=CRDConfig,
    paper="Tian et al., ICLR 2020, arXiv 1910.10699, with negatives from the batch (our variant)",
    tiny={"width": 4},
    space={
        "weight": FloatSpace(low=0.01, high=1, log=True),
        "width": IntSpace(low=32, high=256, log=True),
        "temperature": FloatSpace(low=0.03, high=0.5, log=True),
    },
)
class CRD(nn.Module):
    """-E[log h] - N E[log(1 - h)] of a critic h, with the batch's N = B - 1 other clips as negatives.

    The critic h(t, s) = e^a / (e^a + N / M), a = g_T(t)' g_S(s) / tau, has linear maps g to `width`,
    normalised, and M training clips; the first expectation is over the vectors of one clip, the
    second over those of two. The paper draws its N negatives from a memory bank of old
    projections of all training clips; here they are the other clips of the batch, so N is small and
    the negatives are fresh.
    """

    def __init__(self, config: CRDConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.of_student, self.of_teacher = Projection(), Projection()
        self.clips = 1

    def adapt(self, outputs: Outputs, advice: Outputs | None, clips: Batch) -> None:
        """Makes both projections from the embeddings (B, D) and (B, D'); M is the number of `clips`."""
        student, teacher = pair("embedding", outputs, advice)
        self.of_student.between(student.shape[1], self.config.width)
        self.of_teacher.between(teacher.shape[1], self.config.width)
        self.clips = len(clips)

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's embedding (B, D) and the teacher's embedding (B, D')."""
        student, teacher = pair("embedding", outputs, advice)
        student, teacher = units(self.of_student(student)), units(self.of_teacher(teacher))
        negatives = len(student) - 1
        if negatives < 1:
            return costs_nothing(student) + costs_nothing(teacher)
        agreement = products(student, teacher) / self.config.temperature
        # h is the logistic function of this, which its logarithm is taken of without overflow.
        odds = agreement - math.log(negatives / self.clips)
        told = logsigmoid(odds.diagonal()) + logsigmoid(-others(odds)).sum(1)
        return -told.mean()
