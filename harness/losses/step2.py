"""Step 2 of the step distillation: from the teacher's regression to the student's."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class Step2Config(LossConfig):
    """No parameters."""

    advice: ClassVar[frozenset[OutputName]] = frozenset({"score"})


@LOSSES.register(
    "step2",
    config=Step2Config,
    paper="VideoAdviser, arXiv 2309.15494, step 2 (our reading)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class Step2(nn.Module):
    """MSE(y', stopgrad(r)): the student's score is regressed to the frozen teacher's score."""

    def __init__(self, config: Step2Config, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's score (B,) and the teacher's score (B,)."""
        if advice is None:
            raise ValueError("step2 compares with a teacher's score, and no advice was given")
        return (outputs.tensor("score") - advice.tensor("score").detach()).square().mean()
