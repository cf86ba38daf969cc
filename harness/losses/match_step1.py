"""Step 1 of the step distillation in retrieval: inside the teacher, from classes to match scores."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.nn.compare.geometry import others
from harness.nn.compare.match import match_logits, same_class
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class MatchStep1Config(LossConfig):
    """No parameters."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"match", "class_logits"})
    relational: ClassVar[bool] = True


@LOSSES.register(
    "match_step1",
    config=MatchStep1Config,
    paper="VideoAdviser, arXiv 2309.15494, step 1 (our reading)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class MatchStep1(nn.Module):
    """MSE(m_ij, stopgrad(p_i · p_j)) over a batch's pairs of different clips, p = softmax(class logits).

    p_i · p_j is the probability that two clips share a class, if p_i and p_j are theirs and independent.
    The paper's abstract distils the teacher's classification logits into its regression logit; that the
    latter is a match score in retrieval, and MSE the distance, is our reading.
    """

    def __init__(self, config: MatchStep1Config, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from match factors (B, M + 1) and class_logits (B, K) of the same model."""
        factors, class_logits = outputs.tensor("match"), outputs.tensor("class_logits")
        if len(factors) < 2:
            return costs_nothing(factors) + costs_nothing(class_logits)
        scores = match_logits(factors).sigmoid()
        return others(scores - same_class(class_logits.detach())).square().mean()
