"""Step 1 of the step distillation: inside the teacher, from class logits to the regression."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class Step1Config(LossConfig):
    """No parameters."""

    task: ClassVar[TaskName | None] = "sentiment"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"score", "class_logits"})


@LOSSES.register(
    "step1",
    config=Step1Config,
    paper="VideoAdviser, arXiv 2309.15494, step 1 (our reading)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class Step1(nn.Module):
    """MSE(r, stopgrad(sum_k softmax(logits)_k s_k)) over levels s evenly spaced in the label range.

    The paper's abstract distils the teacher's classification logits into its regression logit; that
    the levels' expectation is the target, and MSE the distance, is our reading.
    """

    def __init__(self, config: Step1Config, info: DataInfo) -> None:
        super().__init__()
        self.info = info

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from score (B,) and class_logits (B, K) of the same model."""
        probabilities = outputs.tensor("class_logits").detach().softmax(1)
        expected = probabilities @ self.info.levels(probabilities.shape[1]).to(probabilities)
        return (outputs.tensor("score") - expected).square().mean()
