"""A teacher's classes straight to a student's similarities, past the teacher's match scores."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.nn.compare.match import cosines, same_class
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class MatchClassesConfig(LossConfig):
    """No parameters."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"audio_embedding", "vision_embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"class_logits"})
    relational: ClassVar[bool] = True


@LOSSES.register(
    "match_classes",
    config=MatchClassesConfig,
    paper="VideoAdviser, arXiv 2309.15494, its steps 1 and 2 in one (ours, for the ablation)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=100, log=True)},
)
class MatchClasses(nn.Module):
    """MSE(S_ij, stopgrad(p_i · p_j)) over all pairs, S_ij the cosine of sound i and pictures j.

    p is the softmax of the teacher's class logits, and p_i · p_i counts as 1: `match_step2` with the
    classes themselves instead of the match scores that step 1 makes of them. What the difference between
    the two is worth is what a match score adds.
    """

    def __init__(self, config: MatchClassesConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's two embeddings (B, D) and the teacher's class_logits (B, K)."""
        if advice is None:
            raise ValueError("match_classes compares with a teacher's classes, and no advice was given")
        similar = cosines(outputs)
        if len(similar) < 2:
            return costs_nothing(similar)
        wanted = same_class(advice.tensor("class_logits").detach()).fill_diagonal_(1)
        return (similar - wanted).square().mean()
