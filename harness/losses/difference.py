"""Soft orthogonality of shared and private codes."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.linalg import vector_norm

from harness.nn.compare.geometry import centred, products, units
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("text", "vision", "audio")


class DifferenceConfig(LossConfig):
    """What the public implementations do otherwise than the formula."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(
        {f"{modality}_{kind}" for modality in MODALITIES for kind in ("shared", "private")}
    )
    relational: ClassVar[bool] = True

    entries: Literal["paper", "peer"] = Field(
        "paper", description="squared products of features: paper = summed, peer = averaged"
    )
    norms: Literal["paper", "peer"] = Field(
        "paper", description="lengths that codes are divided by: paper = move too, peer = constants"
    )


@LOSSES.register(
    "difference",
    config=DifferenceConfig,
    paper="Hazarika et al. 2020, MISA, arXiv 2005.03545, equation 11; "
    "Bousmalis et al. 2016, arXiv 1608.06019, equation 5",
    tiny={},
    space={"weight": FloatSpace(low=0.001, high=1, log=True)},
)
class Difference(nn.Module):
    """|S' P|_F^2 of a modality's shared codes S and private codes P, and of each two modalities' P.

    The sum over three modalities and three pairs of them. Codes (B, D) are centred over the batch, and
    each clip's is then made of length one; what all clips have in common has no direction. It is zero
    where no feature of the one varies over the clips together with any of the other.
    """

    def __init__(self, config: DifferenceConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from shared and private codes (B, D) of each modality."""
        shared = torch.stack([outputs.part(f"{name}_shared") for name in MODALITIES])
        private = torch.stack([outputs.part(f"{name}_private") for name in MODALITIES])
        codes = torch.cat((shared, private))
        if codes.shape[1] < 2:
            return costs_nothing(codes)
        shared, private = self._directions(centred(codes, 1)).chunk(2)
        # Text with vision, vision with audio, audio with text.
        others = torch.cat((shared, private.roll(-1, 0)))
        squares = products(torch.cat((private, private)).mT, others.mT).square()
        return squares.mean((1, 2)).sum() if self.config.entries == "peer" else squares.sum()

    def _directions(self, codes: Tensor) -> Tensor:
        if self.config.norms == "paper":
            return units(codes)
        return codes / (vector_norm(codes.detach(), dim=-1, keepdim=True) + 1e-6)
