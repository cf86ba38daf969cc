"""What deep correlation baselines share: two towers, and canonical correlation of what they give."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import nn

from harness.nn.retrieval.linear_cca import RIDGE_SPACE, CorrelationConfig, LinearCca, labelled
from harness.nn.retrieval.towers import Towers, TowersConfig
from harness.spec import ChoiceSpace, FloatSpace, IntSpace, Space
from harness.types import Batch, DataInfo, Outputs

TINY = {"width": 3, "hidden": 6, "layers": 2}

SPACE: dict[str, Space] = {
    "hidden": IntSpace(low=32, high=1024, log=True),
    "layers": IntSpace(low=1, high=4),
    "dropout": FloatSpace(low=0, high=0.5),
    "ridge": RIDGE_SPACE,
    "scale": ChoiceSpace(choices=("unit", "correlation")),
}


class DeepCcaConfig(TowersConfig, CorrelationConfig):
    """Sizes as in public code of the authors of TNN-C-CCA: three hidden layers of 100, 10 dimensions."""

    width: int = Field(10, ge=2, le=4096, description="D of the embeddings that are compared")
    hidden: int = Field(100, ge=2, le=16384, description="units of each hidden layer of a tower")
    layers: int = Field(4, ge=1, le=8, description="linear layers of a tower, the last one included")


class DeepCca(nn.Module):
    """Two towers, and linear canonical correlation fitted on their vectors of all training clips.

    Losses act on the towers' own vectors, which are the embeddings while the model is trained; in
    evaluation these are turned and scaled to canonical variates, of the last fit. Hidden layers are
    rectified, where the public code has tanh or sigmoid, inputs are not normalised by batch, and towers
    are as wide as what is compared, where the code's DCCA is ten times as wide.
    """

    clusters: ClassVar[bool] = False
    """Whether all pairs of a class are correlated, not just a clip's own; labelled clips only."""

    def __init__(self, config: DeepCcaConfig, info: DataInfo) -> None:
        super().__init__()
        self.towers = Towers(config, info)
        width = config.width
        self.head = LinearCca(width, width, width, config.ridge, config.scale)

    def forward(self, batch: Batch) -> Outputs:
        """The towers' vectors (B, D) in training, their canonical variates (B, D) in evaluation."""
        audio, vision = self.towers(batch)
        if not self.training:
            audio, vision = self.head(audio, vision)
        return Outputs(audio_embedding=audio, vision_embedding=vision)

    def fit(self, clips: Batch) -> None:
        """The canonical directions of the towers' vectors.

        Raises:
            BadInput: too few clips for the width, or towers that tell all clips the same.
        """
        known = labelled(clips) if self.clusters else clips
        audio, vision = self.towers(known)
        self.head.fit(audio, vision, known.target if self.clusters else None)

    def fitted_parameters(self) -> int:
        """Means and directions of both modalities."""
        return self.head.fitted_parameters()

    def notes(self) -> tuple[str, ...]:
        """What the ridge had to mend, and how many directions correlate."""
        return self.head.notes()
