"""How far the explicit codes of a clip's sound and pictures point from each other."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from harness.nn.compare.geometry import units
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs

PARTS = ("audio_explicit", "vision_explicit")


class ExplicitDistanceConfig(LossConfig):
    """No parameters: the codes are the model's."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(PARTS)


@LOSSES.register(
    "explicit_distance",
    config=ExplicitDistanceConfig,
    paper="EICS-style: Zeng et al., TOMM 2023, doi 10.1145/3564608 (abstract; the form is ours)",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class ExplicitDistance(nn.Module):
    """1 - cos of a clip's two explicit codes, in [0, 2], mean over clips.

    By directions, because the codes are compared by them. It is least where all codes are one, so it
    is for use beside a loss that tells clips apart by the embeddings.
    """

    def __init__(self, config: ExplicitDistanceConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from explicit codes (B, D) of the sound and of the pictures."""
        audio, vision = (units(outputs.part(name)) for name in PARTS)
        return (1 - (audio * vision).sum(1)).mean()
