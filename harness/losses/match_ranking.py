"""The order in which a teacher's match scores put a batch's clips, as a list a query."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import kl_div

from harness.nn.compare.match import cosines, match_targets
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class MatchRankingConfig(LossConfig):
    """How sharp both sides' lists are."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"audio_embedding", "vision_embedding"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"match"})
    relational: ClassVar[bool] = True

    temperature: float = Field(0.1, gt=0, description="by which the student's cosines are divided")
    teacher_temperature: float = Field(0.1, gt=0, description="by which the match scores are divided")


@LOSSES.register(
    "match_ranking",
    config=MatchRankingConfig,
    paper="ListNet: Cao et al., ICML 2007, doi 10.1145/1273496.1273513 (top-one probabilities; that the "
    "wanted scores are a teacher's is ours)",
    tiny={},
    space={
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "temperature": FloatSpace(low=0.05, high=1, log=True),
        "teacher_temperature": FloatSpace(low=0.05, high=1, log=True),
    },
)
class MatchRanking(nn.Module):
    """The mean over queries of KL(softmax(m_i / T') || softmax(S_i / T)), S the student's cosines.

    Each sound asks for all pictures of the batch (rows of S) and each picture for all sounds (columns);
    the two means are averaged. m_ii = 1. Unlike a regression it does not change when all similarities of
    all clips grow by the same amount: only differences between the items of a list count.
    """

    def __init__(self, config: MatchRankingConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the student's two embeddings (B, D) and the teacher's match (B, M + 1)."""
        scores, similar = match_targets(advice), cosines(outputs)
        if len(similar) < 2:
            return costs_nothing(similar)
        wanted = (scores / self.config.teacher_temperature).log_softmax(1)
        # The scores are symmetric: what a row wants of the pictures, a column wants of the sounds.
        lists = (similar / self.config.temperature, similar.T / self.config.temperature)
        costs = [_divergence(found.log_softmax(1), wanted) for found in lists]
        return (costs[0] + costs[1]) / 2


def _divergence(found: Tensor, wanted: Tensor) -> Tensor:
    return kl_div(found, wanted, reduction="batchmean", log_target=True)
