"""Steps that were missing, as a model generates them, against what was there."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import smooth_l1_loss

from harness.nn.compare.moments import central_moment_discrepancy
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

MOMENTS = 3


class GenerationConfig(LossConfig):
    """A weight a modality, whose features have scales of their own."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(
        f"{view}_{what}_states"
        for view in ("text", "vision", "audio")
        for what in ("generated", "intact")
    )

    text_weight: float = Field(5.0, ge=0, description="of the text's steps")
    audio_weight: float = Field(2.0, ge=0, description="of the audio's steps")
    vision_weight: float = Field(20.0, ge=0, description="of the vision's steps")
    similarity: Literal["paper", "peer"] = Field(
        "paper", description="paper: steps alone; peer: the moments of all steps too"
    )
    similarity_weight: float = Field(5.0, ge=0, description="peer: of the moments, within a modality")


@LOSSES.register(
    "generation",
    config=GenerationConfig,
    paper="Yuan et al. 2021, TFR-Net, doi 10.1145/3474085.3475585, reconstruction loss",
    tiny={},
    space={"weight": FloatSpace(low=0.01, high=10, log=True)},
)
class Generation(nn.Module):
    """Sum over modalities of weight times smooth L1, averaged over the numbers of missing steps.

    A model gives its sequence (B, T, D) with the intact steps wherever nothing was missing, so that a
    step counts if the two differ anywhere; a modality of which nothing is missing costs nothing. The
    peer's similarity is the central moment discrepancy, to the third moment, of both sequences with
    zeros in place of what was not missing, over the count of missing numbers.
    """

    def __init__(self, config: GenerationConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from ``<view>_generated_states`` and ``<view>_intact_states``, each (B, T, D)."""
        config = self.config
        weights = {
            "text": config.text_weight,
            "audio": config.audio_weight,
            "vision": config.vision_weight,
        }
        losses = [
            weight
            * self._of(outputs.part(f"{view}_generated_states"), outputs.part(f"{view}_intact_states"))
            for view, weight in weights.items()
        ]
        return losses[0] + losses[1] + losses[2]

    def _of(self, generated: Tensor, intact: Tensor) -> Tensor:
        missing = (generated != intact).any(2, keepdim=True)
        count = (missing.sum() * generated.shape[2]).clamp(min=1)
        loss = smooth_l1_loss(generated, intact, reduction="sum") / count
        if self.config.similarity == "paper":
            return loss
        left, right = (values.masked_fill(~missing, 0).flatten(0, 1) for values in (generated, intact))
        distance = central_moment_discrepancy(left, right, MOMENTS)
        return loss + self.config.similarity_weight * distance / count
