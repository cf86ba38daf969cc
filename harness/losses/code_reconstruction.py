"""Error of each modality's features when they are rebuilt from their codes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("text", "vision", "audio")


class CodeReconstructionConfig(LossConfig):
    """No parameters: what rebuilds belongs to the model."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(
        {f"{modality}_{kind}" for modality in MODALITIES for kind in ("projected", "rebuilt")}
    )


@LOSSES.register(
    "code_reconstruction",
    config=CodeReconstructionConfig,
    paper="Hazarika et al. 2020, MISA, arXiv 2005.03545, equation 12",
    tiny={},
    space={"weight": FloatSpace(low=0.1, high=10, log=True)},
)
class CodeReconstruction(nn.Module):
    """The mean squared error between projected features and what a model rebuilds of their codes.

    The mean over text, vision and audio, features and clips; it keeps codes from saying nothing. The
    projection is trained by it too.
    """

    def __init__(self, config: CodeReconstructionConfig, info: DataInfo) -> None:
        super().__init__()

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from projected and rebuilt features (B, D) of each modality."""
        rebuilt, projected = (
            precise(torch.stack([outputs.part(f"{name}_{kind}") for name in MODALITIES]))
            for kind in ("rebuilt", "projected")
        )
        return mse_loss(rebuilt, projected)
