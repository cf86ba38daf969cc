"""KCCA: canonical correlation between functions of sound and of pictures, by kernels."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from harness.nn.retrieval.correlation import cca_from_moments
from harness.nn.retrieval.covariances import moments
from harness.nn.retrieval.kernel_side import Approximation, KernelSide
from harness.nn.retrieval.kernels import KernelName
from harness.nn.retrieval.linear_cca import Scale
from harness.nn.retrieval.towers import PairConfig, pooled
from harness.registry import BASELINES
from harness.spec import ChoiceSpace, FloatSpace
from harness.types import Batch, DataInfo, Outputs


class KccaConfig(PairConfig):
    """The kernel, and how many clips stand for all of them."""

    is_fitted: ClassVar[bool] = True

    kernel: KernelName = Field(
        "rbf", description="rbf exp(-|x - z|² / 2s²), cosine of the angle, or linear x · z"
    )
    bandwidth: float = Field(
        1.0, gt=0, le=100, description="s of the rbf kernel, in median distances of training clips"
    )
    approximation: Approximation = Field(
        "incomplete_cholesky",
        description="of all clips by landmarks: nystroem takes them at random (by a hash of the clip), "
        "incomplete_cholesky next the clip that those before explain least",
    )
    landmarks: int = Field(
        512, ge=2, le=16384, description="R: clips that functions are combinations of; all = exact"
    )
    ridge: float = Field(
        1e-3, gt=0, le=100, description="added to each covariance's diagonal, in its total variances"
    )
    scale: Scale = Field(
        "unit",
        description="of a variate before cosines are taken: variance one, or times its correlation",
    )

    @model_validator(mode="after")
    def _has_landmarks_enough(self) -> KccaConfig:
        if self.width > self.landmarks:
            raise ValueError(
                f"{self.landmarks} landmarks have no {self.width} directions: width is above that"
            )
        return self


@BASELINES.register(
    "kcca",
    config=KccaConfig,
    paper="Hardoon, Szedmak and Shawe-Taylor 2004, Canonical Correlation Analysis, Neural Computation "
    "16; of low rank as in Bach and Jordan 2002, JMLR 3 (equations from memory)",
    tiny={"width": 3, "landmarks": 12},
    space={
        "ridge": FloatSpace(low=1e-6, high=1e-1, log=True),
        "bandwidth": FloatSpace(low=0.25, high=4, log=True, when={"kernel": "rbf"}),
        "scale": ChoiceSpace(choices=("unit", "correlation")),
    },
)
class Kcca(nn.Module):
    """Mean features of sound and pictures through the functions of each that correlate most.

    A function is a weighted sum of kernels at R landmarks, clips of the training split, so that memory
    is O(n R) and not O(n²): linear CCA of what clips are in the span of the landmarks. The ridge is a
    part of the total variance and so does not depend on R. With all clips as landmarks this is the
    regularised KCCA of the paper: of centred kernels, aᵀ K_a K_v b at its largest where
    aᵀ (K_a K_a + κ_a K_a) a and the same of b are 1, with κ = ridge · trace K.
    """

    def __init__(self, config: KccaConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config
        sizes = config.width, config.landmarks, config.kernel
        self.audio = KernelSide(info.width("audio"), *sizes)
        self.vision = KernelSide(info.width("vision"), *sizes)
        self.correlations: Tensor
        self.register_buffer("correlations", torch.ones(config.width))

    def fit(self, clips: Batch) -> None:
        """Chooses landmarks, and finds the functions.

        Raises:
            BadInput: too few clips or kernels of a lower rank than W, or features that are the same.
        """
        config = self.config
        way = config.approximation, config.bandwidth
        audio, audio_whitening = self.audio.features(pooled(clips.audio), *way)
        vision, vision_whitening = self.vision.features(pooled(clips.vision), *way)
        ridges = config.ridge * audio.shape[1], config.ridge * vision.shape[1]
        found = cca_from_moments(moments(audio, vision), config.width, ridges)
        weigh = found.correlations if config.scale == "correlation" else 1
        self.audio.keep(audio_whitening, found.audio_weights * weigh, found.audio_mean)
        self.vision.keep(vision_whitening, found.vision_weights * weigh, found.vision_mean)
        self.correlations.copy_(found.correlations)

    def fitted_parameters(self) -> int:
        """Landmarks and what they count."""
        return self.audio.fitted_parameters() + self.vision.fitted_parameters()

    def notes(self) -> tuple[str, ...]:
        """The kernel, its approximation and the ridge; directions that do not correlate."""
        config = self.config
        used, width = int((self.correlations > 0).sum()), config.width
        said = (
            f"kernel CCA: {config.kernel} kernel, {config.approximation} with {int(self.audio.used)} "
            f"audio and {int(self.vision.used)} vision landmarks, covariances regularised by "
            f"{config.ridge:g} of their total variance",
        )
        empty = f"kernel CCA: {used} of {width} directions correlate, the rest are 0"
        return said if used == width else (*said, empty)

    def forward(self, batch: Batch) -> Outputs:
        """Vectors (B, W) of sound and pictures."""
        return Outputs(
            audio_embedding=self.audio(pooled(batch.audio)),
            vision_embedding=self.vision(pooled(batch.vision)),
        )
