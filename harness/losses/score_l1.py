"""Absolute error against the teacher's score."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.nn.compare.pair import pair
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class ScoreL1Config(LossConfig):
    """No parameters."""

    advice: ClassVar[frozenset[OutputName]] = frozenset({"score"})


@LOSSES.register(
    "score_l1",
    config=ScoreL1Config,
    paper="after VideoAdviser, arXiv 2309.15494, step 2 (our variant)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class ScoreL1(nn.Module):
    """The mean of |y' - r|, the student's score regressed to the teacher's (the MSE is `step2`)."""

    def __init__(self, config: ScoreL1Config, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's score (B,) and the teacher's score (B,)."""
        student, teacher = pair("score", outputs, advice)
        return (student - teacher).abs().mean()
