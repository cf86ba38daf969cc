"""What the baselines have in common that are canonical correlation in closed form and nothing else."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from harness.nn.retrieval.correlation import check_width
from harness.nn.retrieval.linear_cca import RIDGE_SPACE, CorrelationConfig, LinearCca
from harness.nn.retrieval.towers import pooled
from harness.spec import ChoiceSpace, Space
from harness.types import Batch, DataInfo, Outputs

LINEAR_SPACE: dict[str, Space] = {
    "ridge": RIDGE_SPACE,
    "scale": ChoiceSpace(choices=("unit", "correlation")),
}


class LinearConfig(CorrelationConfig):
    """Ridge, scale, and number of directions."""

    is_fitted: ClassVar[bool] = True

    def check_data(self, info: DataInfo) -> None:
        """Refuses a width that the features do not have.

        Raises:
            BadInput: fewer audio or vision dimensions than directions.
        """
        check_width(self.width, info.width("audio"), info.width("vision"))


class LinearBaseline(nn.Module):
    """Mean features of sound and pictures on canonical directions, which `fit` of a subclass finds."""

    def __init__(self, config: LinearConfig, info: DataInfo) -> None:
        super().__init__()
        config.check_data(info)
        widths = info.width("audio"), info.width("vision")
        self.head = LinearCca(*widths, config.width, config.ridge, config.scale)

    def fitted_parameters(self) -> int:
        """Means and directions."""
        return self.head.fitted_parameters()

    def notes(self) -> tuple[str, ...]:
        """What the ridge had to mend, and directions that do not correlate."""
        return self.head.notes()

    def forward(self, batch: Batch) -> Outputs:
        """Vectors (B, W) of sound and pictures."""
        audio, vision = self.head(pooled(batch.audio), pooled(batch.vision))
        return Outputs(audio_embedding=audio, vision_embedding=vision)
