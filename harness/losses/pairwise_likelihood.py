"""How likely it is, by their likeness, that clips share a class, within and across modalities."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from harness.nn.compare.geometry import products, units
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs


class PairwiseLikelihoodConfig(LossConfig):
    """How steep the likelihood is."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset({"audio_embedding", "vision_embedding"})
    labels: ClassVar[bool] = True
    relational: ClassVar[bool] = True

    scale: float = Field(0.5, gt=0, description="what cosines are times before the logistic function")


@LOSSES.register(
    "pairwise_likelihood",
    config=PairwiseLikelihoodConfig,
    paper="Zhen et al., CVPR 2019, DSCMR, loss of the common space (J2)",
    tiny={},
    space={
        "weight": FloatSpace(low=1e-3, high=1, log=True),
        "scale": FloatSpace(low=0.25, high=16, log=True),
    },
)
class PairwiseLikelihood(nn.Module):
    """log(1 + e^Γ) - S Γ, mean over pairs and summed over sound-picture, sound-sound, picture-picture.

    Γ_ij = cos(u_i, v_j) / 2 of sound u and pictures v, S_ij = 1 for clips of one class and 0
    otherwise: the surprise at S where a pair is of one class with probability σ(Γ). All B² pairs
    count, a clip with itself too. At a half, the paper's scale, σ stays between 0.38 and 0.62, so that
    no embedding is ever certain; from the public code, the paper could not be had.
    """

    def __init__(self, config: PairwiseLikelihoodConfig, info: DataInfo) -> None:
        super().__init__()
        self.scale = config.scale

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from audio_embedding (B, D), vision_embedding (B, D) and target (B,)."""
        audio, vision = outputs.tensor("audio_embedding"), outputs.tensor("vision_embedding")
        if len(audio) < 2:
            return costs_nothing(audio) + costs_nothing(vision)
        audio, vision = units(audio), units(vision)
        same = (batch.target[:, None] == batch.target).to(audio.dtype)
        return sum(
            (
                binary_cross_entropy_with_logits(self.scale * products(one, other), same)
                for one, other in ((audio, audio), (vision, vision))
            ),
            start=binary_cross_entropy_with_logits(self.scale * products(audio, vision), same),
        )
