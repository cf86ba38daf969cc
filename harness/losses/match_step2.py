"""Step 2 of the step distillation in retrieval: from the teacher's match scores to similarities."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import others
from harness.nn.compare.match import cosines, match_targets, within_modalities
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class MatchStep2Config(LossConfig):
    """Which similarities are regressed."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"audio_embedding", "vision_embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"match"})
    relational: ClassVar[bool] = True

    within: bool = Field(
        False, description="sounds with sounds and pictures with pictures too, not only across"
    )


@LOSSES.register(
    "match_step2",
    config=MatchStep2Config,
    paper="VideoAdviser, arXiv 2309.15494, step 2 (our reading)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=100, log=True)},
)
class MatchStep2(nn.Module):
    """MSE(S_ij, stopgrad(m_ij)) over all pairs, S_ij the cosine of sound i and pictures j, m_ii = 1.

    A match score is in [0, 1] and a cosine in [-1, 1]; it is asked for as it is, so that classes which
    have nothing to do with each other are orthogonal, not opposite. Within a modality, where that is
    asked for, pairs of different clips count, and the three means are averaged.
    """

    def __init__(self, config: MatchStep2Config, info: DataInfo) -> None:
        super().__init__()
        self.within = config.within

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's two embeddings (B, D) and the teacher's match (B, M + 1)."""
        scores, across = match_targets(advice), cosines(outputs)
        if len(across) < 2:
            return costs_nothing(across)
        cost = (across - scores).square().mean()
        if not self.within:
            return cost
        inside = [others(found - scores).square().mean() for found in within_modalities(outputs)]
        return (cost + sum(inside)) / 3
