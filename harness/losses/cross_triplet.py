"""Whether sounds are nearer to pictures of their class than to others, and the other way round."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from harness.nn.retrieval.triplets import Mining, TripletRule, cross_modal_triplets
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class CrossTripletConfig(LossConfig):
    """The margin, and which triplets of a batch count."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"audio_embedding", "vision_embedding"})
    labels: ClassVar[bool] = True
    relational: ClassVar[bool] = True

    margin: float = Field(
        0.4,
        gt=0,
        le=2,
        description="by how much a clip of another class has to be farther off, in cosine",
    )
    mining: Mining = Field(
        "all",
        description="all: every triplet; hardest: an anchor's farthest positive and nearest negative; "
        "semi_hard: each positive and the nearest negative beyond it",
    )
    within: bool = Field(
        False, description="whether sounds are anchors of sounds, and pictures of pictures, too"
    )


@LOSSES.register(
    "cross_triplet",
    config=CrossTripletConfig,
    paper="Zeng, Yu and Oyama 2020, TNN-C-CCA, arXiv 1908.03737; mining after Schroff et al. 2015, "
    "arXiv 1503.03832 (semi-hard) and Hermans et al. 2017, arXiv 1703.07737 (all, hardest)",
    tiny={},
    space={
        "weight": FloatSpace(low=0.1, high=10, log=True),
        "margin": FloatSpace(low=0.05, high=1),
    },
)
class CrossTriplet(nn.Module):
    """Mean of max(0, d(anchor, positive) - d(anchor, negative) + margin), d = 1 - cosine.

    Positives have the anchor's class, negatives another; a clip's own pictures are positives of its
    sound. Both modalities are anchors. The mean goes over all mined triplets, those of cost zero too; a
    batch without any costs nothing. One of the variants in the authors' public code has all triplets
    too, but sounds alone as anchors, a clip's own pictures as no positive, and squared distances.
    """

    def __init__(self, config: CrossTripletConfig, info: DataInfo) -> None:
        super().__init__()
        self.rule = TripletRule(config.margin, config.mining, config.within)

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from audio_embedding (B, D), vision_embedding (B, D) and target (B,)."""
        audio, vision = outputs.tensor("audio_embedding"), outputs.tensor("vision_embedding")
        return cross_modal_triplets(audio, vision, batch.target, self.rule)
