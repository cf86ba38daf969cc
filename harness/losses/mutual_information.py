"""How likely vision and audio are, given the text: a lower bound of what they share."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import precise
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("vision", "audio")

WIDEST = 10.0
"""Log variances are held between minus this and this: beyond them a variance is no finite number."""


class MutualInformationConfig(LossConfig):
    """Which density is maximised."""

    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(
        {f"{name}_{kind}" for name in MODALITIES for kind in ("vector", "mean", "log_variance")}
    )

    density: Literal["paper", "peer"] = Field(
        "paper",
        description="paper = the Gaussian's, peer = its exponent alone, which any large variance raises",
    )


@LOSSES.register(
    "mutual_information",
    config=MutualInformationConfig,
    paper="Han, Chen and Poria 2021, MMIM, arXiv 2109.00412, section 3.3; Barber and Agakov 2003",
    tiny={},
    space={"weight": FloatSpace(low=0.01, high=1, log=True)},
)
class MutualInformation(nn.Module):
    """-log q(vision | text) - log q(audio | text), q Gaussians that the model learns.

    With the loss `entropy`, minus the lower bound I(X; Y) >= E[log q(y | x)] + H(Y).
    """

    def __init__(self, config: MutualInformationConfig, info: DataInfo) -> None:
        super().__init__()
        self.density = config.density

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from vector, mean and log variance (B, D) of each modality."""
        return torch.stack([self._surprise(outputs, name) for name in MODALITIES]).sum()

    def _surprise(self, outputs: Outputs, name: str) -> Tensor:
        kinds = ("vector", "mean", "log_variance")
        vector, mean, log_variance = (precise(outputs.part(f"{name}_{kind}")) for kind in kinds)
        log_variance = log_variance.clamp(-WIDEST, WIDEST)
        found = (vector - mean).square() * (-log_variance).exp()
        if self.density == "paper":
            found = found + log_variance + math.log(2 * math.pi)
        return found.sum(1).mean() / 2
