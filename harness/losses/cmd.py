"""Central moment discrepancy between the shared codes of the modalities."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.moments import central_moments, moment_distance
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs


class CMDConfig(LossConfig):
    """How many moments count."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset({"text_shared", "vision_shared", "audio_shared"})
    relational: ClassVar[bool] = True

    moments: int = Field(5, ge=1, description="the mean, and central moments from 2 up to this one")


@LOSSES.register(
    "cmd",
    config=CMDConfig,
    paper="Zellinger et al. 2017, arXiv 1702.08811, definition 2; between modalities as in "
    "Hazarika et al. 2020, arXiv 2005.03545, equation 10",
    tiny={},
    space={"weight": FloatSpace(low=0.03, high=3, log=True)},
)
class CMD(nn.Module):
    """How differently the shared codes of text, vision and audio are distributed over the batch.

    The mean over the three pairs of modalities. Codes lie in an interval of length one, as those of a
    logistic function do; others are compared as if they did. Codes of one clip have no distribution.
    """

    def __init__(self, config: CMDConfig, info: DataInfo) -> None:
        super().__init__()
        self.moments = config.moments

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the shared codes (B, D) of each modality."""
        names = ("text_shared", "vision_shared", "audio_shared")
        codes = torch.stack([outputs.part(name) for name in names])
        if codes.shape[1] < 2:
            return costs_nothing(codes)
        found = central_moments(codes, self.moments)
        # Text with vision, vision with audio, audio with text.
        return moment_distance(found, found.roll(-1, 0)).mean()
