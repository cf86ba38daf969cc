"""How spread out vision and audio are within positive and within negative clips."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.linalg import eigvalsh

from harness.nn.compare.geometry import precise, products
from harness.nn.compare.pair import costs_nothing
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("vision", "audio")


class EntropyConfig(LossConfig):
    """How many clips an entropy is estimated from, and what keeps it finite."""

    task: ClassVar[TaskName | None] = "sentiment"
    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset({f"{name}_sample" for name in MODALITIES})
    labels: ClassVar[bool] = True
    relational: ClassVar[bool] = True
    remembers: ClassVar[bool] = True

    remembered: int = Field(
        32, ge=0, description="training clips before those of the batch that count as well"
    )
    ridge: float = Field(
        1e-4, gt=0, description="added to every variance; the peer adds nothing, and may find no number"
    )


@LOSSES.register(
    "entropy",
    config=EntropyConfig,
    paper="Han, Chen and Poria 2021, MMIM, arXiv 2109.00412, section 3.3, entropy of Y",
    tiny={},
    space={"weight": FloatSpace(low=0.01, high=1, log=True)},
)
class Entropy(nn.Module):
    """-(log det S_+ + log det S_-) / 4 of each modality, S the covariances of samples of either sign.

    The entropy of a mixture of two equally likely Gaussians, up to a constant and in its lower bound.
    The last clips before the batch are part of the estimate, without a gradient. A sign with less than
    two clips has no covariance and costs nothing; clips with a label of zero have no sign.
    """

    def __init__(self, config: EntropyConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.is_adapted = False

    def adapt(self, outputs: Outputs, advice: Outputs | None, clips: Batch) -> None:
        """Makes room for the clips to remember; a sign of 0 is nobody's yet."""
        count = self.config.remembered
        self.register_buffer("signs", torch.zeros(count))
        for name in MODALITIES:
            width = outputs.part(f"{name}_sample").shape[1]
            self.register_buffer(f"{name}_samples", torch.zeros(count, width))
        self.is_adapted = True

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from samples (B, D) of each modality and target (B,)."""
        if not self.is_adapted:
            raise ValueError("a loss with a memory was called before it was adapted to the outputs")
        found = {name: precise(outputs.part(f"{name}_sample")) for name in MODALITIES}
        signs = torch.cat((self.signs, batch.target.sign().to(self.signs.dtype)))
        value = torch.stack([costs_nothing(samples) for samples in found.values()]).sum()
        for name, samples in found.items():
            kept = self.get_buffer(f"{name}_samples").to(samples.dtype)
            everything = torch.cat((kept, samples))
            value = value - self._entropy(everything, signs)
            if self.training:
                self._keep(f"{name}_samples", everything.detach())
        if self.training:
            self._keep("signs", signs)
        return value

    def _entropy(self, samples: Tensor, signs: Tensor) -> Tensor:
        classes = [samples[signs == sign] for sign in (1, -1)]
        covariances = [_covariance(members) for members in classes if len(members) > 1]
        if not covariances:
            return samples.new_zeros(())
        # Of a covariance of few clips many are zero, and rounding may put them below.
        variances = eigvalsh(torch.stack(covariances)).clamp(min=0)
        return (variances + self.config.ridge).log().sum() / 4

    @torch.no_grad()
    def _keep(self, name: str, values: Tensor) -> None:
        buffer = self.get_buffer(name)
        if len(buffer):
            buffer.copy_(values[-len(buffer) :])


def _covariance(samples: Tensor) -> Tensor:
    """(D, D) of samples (n, D), over n."""
    spread = samples - samples.mean(0)
    return products(spread.mT, spread.mT) / len(samples)
