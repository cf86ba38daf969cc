"""Linear canonical correlation as a module: fitted in closed form, kept in buffers."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.retrieval.correlation import Canonical, cca_from_moments, check_width
from harness.nn.retrieval.covariances import cluster_moments, moments
from harness.nn.retrieval.towers import PairConfig
from harness.spec import FloatSpace
from harness.types import Batch

Scale = Literal["unit", "correlation"]
"""unit: variates of variance one; correlation: each times its canonical correlation."""

RIDGE_SPACE = FloatSpace(low=1e-6, high=1, log=True)


class CorrelationConfig(PairConfig):
    """How canonical correlation is regularised, and how its directions are weighed."""

    ridge: float = Field(
        1e-3, ge=0, le=100, description="added to each covariance's diagonal, in its mean variances"
    )
    scale: Scale = Field(
        "unit",
        description="of a variate before cosines are taken: variance one, or times its correlation",
    )


def labelled(clips: Batch) -> Batch:
    """The clips whose classes may be read."""
    return clips if clips.labelled is None else clips.take(clips.labelled.nonzero().squeeze(1))


class LinearCca(nn.Module):
    """Centred vectors (B, D_a) and (B, D_v) on their canonical directions, (B, W) each.

    `fit` finds the directions; until then a vector's first W dimensions are passed on. What it finds is
    computed in double precision and kept in the module's. With `scale` correlation every variate counts
    by its correlation (as Gong et al. 2014, arXiv 1212.4522, weigh theirs, by a power of it), with unit
    all count the same. The notes say what the ridge had to mend and which directions are empty.
    """

    audio_mean: Tensor
    vision_mean: Tensor
    audio_weights: Tensor
    vision_weights: Tensor
    correlations: Tensor
    ranks: Tensor

    def __init__(
        self, audio_width: int, vision_width: int, width: int, ridge: float, scale: Scale = "unit"
    ) -> None:
        super().__init__()
        check_width(width, audio_width, vision_width)
        self._ridge, self._scale = ridge, scale
        self.register_buffer("audio_mean", torch.zeros(audio_width))
        self.register_buffer("vision_mean", torch.zeros(vision_width))
        self.register_buffer("audio_weights", torch.eye(audio_width, width))
        self.register_buffer("vision_weights", torch.eye(vision_width, width))
        self.register_buffer("correlations", torch.ones(width))
        self.register_buffer("ranks", torch.tensor([audio_width, vision_width]))

    def fit(self, audio: Tensor, vision: Tensor, labels: Tensor | None = None) -> None:
        """Finds the directions of pairs (n, D_a), (n, D_v); of all pairs of a class with classes (n,).

        Raises:
            BadInput: too few clips, or vectors that are the same or do not correlate.
        """
        found = moments(audio, vision) if labels is None else cluster_moments(audio, vision, labels)
        self._keep(cca_from_moments(found, len(self.correlations), self._ridge))

    def forward(self, audio: Tensor, vision: Tensor) -> tuple[Tensor, Tensor]:
        """(B, W) of the sound and (B, W) of the pictures."""
        return (
            (audio - self.audio_mean) @ self.audio_weights,
            (vision - self.vision_mean) @ self.vision_weights,
        )

    def fitted_parameters(self) -> int:
        """Means and directions."""
        kept = (self.audio_mean, self.vision_mean, self.audio_weights, self.vision_weights)
        return sum(each.numel() for each in kept)

    def notes(self) -> tuple[str, ...]:
        """Covariances that needed the ridge, and directions that do not correlate."""
        said = []
        widths = len(self.audio_mean), len(self.vision_mean)
        for name, rank, size in zip(("audio", "vision"), self.ranks.tolist(), widths, strict=True):
            if rank < size:
                said.append(
                    f"canonical correlation: {name} covariance of rank {rank} in {size} dimensions, "
                    f"invertible by a ridge of {self._ridge:g} mean variances"
                )
        used, width = int((self.correlations > 0).sum()), len(self.correlations)
        if used < width:
            said.append(f"canonical correlation: {used} of {width} directions correlate, the rest are 0")
        return tuple(said)

    def _keep(self, found: Canonical) -> None:
        weigh = found.correlations if self._scale == "correlation" else 1
        self.audio_mean.copy_(found.audio_mean)
        self.vision_mean.copy_(found.vision_mean)
        self.audio_weights.copy_(found.audio_weights * weigh)
        self.vision_weights.copy_(found.vision_weights * weigh)
        self.correlations.copy_(found.correlations)
        self.ranks.copy_(torch.tensor([found.audio_rank, found.vision_rank]))
