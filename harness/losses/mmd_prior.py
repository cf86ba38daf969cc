"""Maximum mean discrepancy between codes and a standard Gaussian prior."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import precise, products
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

CODES = ("text_code", "audio_code", "vision_code", "joint_code")


class MMDPriorConfig(LossConfig):
    """What is compared with the prior, by which kernel, and how the prior is known."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(CODES)
    relational: ClassVar[bool] = True

    prior: Literal["exact", "peer"] = Field(
        "exact",
        description="exact: the kernel's expectation over the prior; peer: as many draws as clips",
    )
    codes: Literal["paper", "peer"] = Field(
        "paper",
        description="paper: all codes of a clip as one vector, which makes them independent of each "
        "other too; peer: the sum over codes, each compared alone",
    )
    bandwidth: float = Field(
        1.0, gt=0, description="of the kernel exp(-|x - y|² / (bandwidth D²)), D the width of the codes"
    )


@LOSSES.register(
    "mmd_prior",
    config=MMDPriorConfig,
    paper="Tsai et al. 2019, arXiv 1806.06176, MMD(Q_Z, P_Z) of the objective, after Wasserstein "
    "auto-encoders, Tolstikhin et al. 2018, arXiv 1711.01558, algorithm 2",
    tiny={},
    space={
        "weight": FloatSpace(low=1, high=300, log=True),
        "bandwidth": FloatSpace(low=0.01, high=10, log=True),
    },
)
class MMDPrior(nn.Module):
    """E k(z, z') + E k(g, g') - 2 E k(z, g): how far the batch's codes z are from g of N(0, I).

    The square of a distance, so never below zero but by rounding. Pairs of a clip with itself count:
    with the authors' wide kernel they add a constant without a gradient. A clip alone costs nothing.
    """

    def __init__(self, config: MMDPriorConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from the codes (B, D) of text, audio and vision, and of all of them."""
        codes = [precise(outputs.part(name)) for name in CODES]
        if len(codes[0]) < 2:
            return costs_nothing(torch.cat(codes, dim=1))
        if self.config.codes == "paper":
            codes = [torch.cat(codes, dim=1)]
        discrepancy = _from_exact if self.config.prior == "exact" else _from_drawn
        spreads = [self.config.bandwidth * code.shape[1] ** 2 for code in codes]
        found = [discrepancy(code, spread) for code, spread in zip(codes, spreads, strict=True)]
        return torch.stack(found).sum()


def _from_exact(codes: Tensor, spread: float) -> Tensor:
    """From the expectations of exp(-|x - g|² / s) over g, and of exp(-|g' - g|² / s) over both.

    They are (s / (s + 2))^(D/2) exp(-|x|² / (s + 2)) and (s / (s + 4))^(D/2).
    """
    half, squares = codes.shape[1] / 2, codes.square().sum(1)
    of_prior = math.expm1(half * math.log(spread / (spread + 4)))
    # Each kernel less one: of a wide kernel, what matters would be lost to rounding beside it.
    crossed = (half * math.log(spread / (spread + 2)) - squares / (spread + 2)).expm1()
    return _kernel(codes, squares, codes, squares, spread).mean() + of_prior - 2 * crossed.mean()


def _from_drawn(codes: Tensor, spread: float) -> Tensor:
    prior = torch.randn_like(codes)
    theirs, ours = prior.square().sum(1), codes.square().sum(1)
    crossed = _kernel(prior, theirs, codes, ours, spread).mean()
    among = _kernel(prior, theirs, prior, theirs, spread).mean()
    return among + _kernel(codes, ours, codes, ours, spread).mean() - 2 * crossed


def _kernel(x: Tensor, x_squares: Tensor, y: Tensor, y_squares: Tensor, spread: float) -> Tensor:
    """(n, m) exp(-|x - y|² / spread) - 1 of points (n, D) and (m, D), whose squares are given."""
    apart = x_squares.unsqueeze(1) + y_squares
    return ((2 * products(x, y) - apart) / spread).expm1()
