"""How far generated sequences are from those that were there."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

VIEWS = ("text", "vision", "audio")


class SequenceReconstructionConfig(LossConfig):
    """How much each modality counts."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(
        f"{view}_{what}" for view in VIEWS for what in ("states", "target_states")
    )

    text: float = Field(1.0, ge=0, description="weight of the text's error")
    vision: float = Field(1.0, ge=0, description="weight of the vision's error")
    audio: float = Field(1.0, ge=0, description="weight of the audio's error")


@LOSSES.register(
    "sequence_reconstruction",
    config=SequenceReconstructionConfig,
    paper="Tsai et al. 2019, arXiv 1806.06176, c_X of the objective as mean squared error",
    tiny={},
    space={
        "weight": FloatSpace(low=0.01, high=10, log=True),
        "text": FloatSpace(low=0.01, high=5, log=True),
        "vision": FloatSpace(low=0.01, high=5, log=True),
        "audio": FloatSpace(low=0.01, high=5, log=True),
    },
)
class SequenceReconstruction(nn.Module):
    """The mean squared error of generated sequences, over features and steps and then over clips.

    A target is not a number where its clip has no such step, and what is generated there is not
    looked at. A clip without a step of a modality costs nothing there.
    """

    def __init__(self, config: SequenceReconstructionConfig, info: DataInfo) -> None:
        super().__init__()
        self.weights = {view: getattr(config, view) for view in VIEWS}

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from generated and true sequences (B, T, D) of text, vision and audio."""
        errors = [
            weight * _error(outputs.part(f"{view}_states"), outputs.part(f"{view}_target_states"))
            for view, weight in self.weights.items()
        ]
        return torch.stack(errors).sum()


def _error(generated: Tensor, target: Tensor) -> Tensor:
    exists = ~target[..., 0].isnan()
    apart = torch.where(exists.unsqueeze(2), precise(generated) - precise(target.detach()), 0)
    of_steps = apart.square().mean(2)
    return (of_steps.sum(1) / exists.sum(1).clamp(min=1)).mean()
