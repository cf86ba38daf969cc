"""What two variational autoencoders of one latent space lose of sounds and pictures, and spend on it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import precise
from harness.nn.retrieval.gaussian import divergence
from harness.registry import LOSSES
from harness.spec import FloatSpace, LossConfig, OutputName, TaskName
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("audio", "vision")
WHAT = ("features", "reconstruction", "translation", "mean", "log_variance")


class VariationalBoundConfig(LossConfig):
    """What weighs how much beside the reconstruction."""

    task: ClassVar[TaskName | None] = "retrieval"
    needs: ClassVar[frozenset[OutputName]] = frozenset()
    parts: ClassVar[frozenset[str]] = frozenset(f"{name}_{what}" for name in MODALITIES for what in WHAT)

    divergence: float = Field(0.01, ge=0, description="weight of the divergence from N(0, I), in nats")
    translation: float = Field(
        0.0,
        ge=0,
        description="weight of the features as rebuilt from the other modality's latent vector",
    )


@LOSSES.register(
    "variational_bound",
    config=VariationalBoundConfig,
    paper="Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv 1312.6114, equation 10; of "
    "two modalities in Zhang et al. 2023, VAE-CCA, arXiv 2112.02601, and its public code",
    tiny={"translation": 0.5},
    space={
        "weight": FloatSpace(low=0.01, high=10, log=True),
        "divergence": FloatSpace(low=1e-4, high=1, log=True),
        "translation": FloatSpace(low=0, high=1),
    },
)
class VariationalBound(nn.Module):
    """The sum over sound and pictures of |x - x'|² / D + translation |x - x''|² / D + divergence KL.

    x are a clip's D features, x' those rebuilt from a draw of its latent distribution, x'' from a draw
    of the other modality's, KL is its divergence from N(0, I); the mean over clips. With a divergence
    of 2 / D it is 2 / D times the negative evidence bound of a decoder with unit variance, but for a
    constant. VAE-CCA's public code rebuilds a clip's own features only, and sums KL over the batch
    beside a mean of squares, which is a divergence of 128 here.
    """

    def __init__(self, config: VariationalBoundConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar from what `WHAT` names, (B, D) or (B, W) each, of audio and vision."""
        audio, vision = (
            self._bound(*(precise(outputs.part(f"{name}_{what}")) for what in WHAT))
            for name in MODALITIES
        )
        return audio + vision

    def _bound(
        self, features: Tensor, own: Tensor, other: Tensor, mean: Tensor, log_variance: Tensor
    ) -> Tensor:
        lost = (features - own).square().mean()
        translated = (features - other).square().mean()
        spent = divergence(mean, log_variance).mean()
        return lost + self.config.translation * translated + self.config.divergence * spent
