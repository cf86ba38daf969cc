"""Huber's error against the teacher's score."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import huber_loss

from harness.nn.compare.pair import pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class ScoreHuberConfig(LossConfig):
    """Where the square ends."""

    advice: ClassVar[frozenset[OutputName]] = frozenset({"score"})

    delta: float = Field(
        1.0, gt=0, description="distance, in units of the label, up to which the error is squared"
    )


@LOSSES.register(
    "score_huber",
    config=ScoreHuberConfig,
    paper="Huber 1964, Annals of Mathematical Statistics 35 (1); after VideoAdviser, arXiv 2309.15494",
    tiny={},
    space={
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "delta": FloatSpace(low=0.1, high=3, log=True),
    },
)
class ScoreHuber(nn.Module):
    """Huber's loss of y' - r: half of `step2`, the MSE, near the teacher's score, and linear far off.

    It is e^2 / 2 for |e| <= delta and delta (|e| - delta / 2) beyond, so that a clip on which the
    teacher is wildly wrong pulls no harder than delta.
    """

    def __init__(self, config: ScoreHuberConfig, info: DataInfo) -> None:
        super().__init__()
        self.delta = config.delta

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's score (B,) and the teacher's score (B,)."""
        student, teacher = pair("score", outputs, advice)
        return huber_loss(student, teacher, delta=self.delta)
