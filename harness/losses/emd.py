"""Squared earth mover's distance of the class logits from the teacher's."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.levels import squared_emd
from harness.nn.compare.pair import pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class EMDConfig(LossConfig):
    """How soft both sides are."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})

    temperature: float = Field(1.0, gt=0, description="T, by which both sides' logits are divided")


@LOSSES.register(
    "emd",
    config=EMDConfig,
    paper="Hou et al. 2016, arXiv 1611.05916, squared EMD, with a teacher's distribution (our variant)",
    tiny={},
    space={
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "temperature": FloatSpace(low=0.5, high=8, log=True),
    },
)
class EMD(nn.Module):
    """The squared EMD between both sides' class probabilities, sum_k (P_k - Q_k)^2 of cumulative shares.

    The levels are ordered and evenly spaced: unlike for `kl`, probability next to the teacher's is
    better than probability far off. `task_emd` is the same with the label in place of the teacher.
    """

    def __init__(self, config: EMDConfig, info: DataInfo) -> None:
        super().__init__()
        self.temperature = config.temperature

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's and the teacher's class_logits (B, K), in [0, K - 1]."""
        student, teacher = (
            (logits / self.temperature).softmax(1) for logits in pair("class_logits", outputs, advice)
        )
        return squared_emd(student, teacher).mean()
