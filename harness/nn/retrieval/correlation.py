"""Canonical correlation: directions in which sound and pictures say the same.

Letters: n clips, D_a and D_v dimensions of their audio and vision vectors, W directions. A covariance S
is regularised to S + ridge · (trace S / D) · I, so that a ridge means the same at any scale. With
Cholesky factors S_aa = L_a L_aᵀ and S_vv = L_v L_vᵀ the canonical correlations are the singular values
of L_a⁻¹ S_av L_v⁻ᵀ: those of S_aa^(-1/2) S_av S_vv^(-1/2), of which it is a rotation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.linalg import cholesky, eigvalsh, solve_triangular

from harness.nn.compare.geometry import precise
from harness.nn.retrieval.covariances import Moments, moments
from harness.spec import BadInput

Ridge = float | tuple[float, float]
"""Of both sides, or of audio and vision apart; in mean variances."""

NEGLIGIBLE = 1e-6
"""A correlation up to this is rounding, and its direction is arbitrary."""


@dataclass(frozen=True)
class Canonical:
    """W pairs of canonical directions, in double precision.

    Attributes:
        audio_weights, vision_weights: (D_a, W) and (D_v, W): centred vectors times these are variates of
            variance one (less what the ridge adds to it); zero in directions that do not correlate.
        audio_mean, vision_mean: (D_a,) and (D_v,).
        correlations: (W,) regularised canonical correlations, the highest first, in [0, 1].
        audio_rank, vision_rank: of the covariances without the ridge.
    """

    audio_weights: Tensor
    vision_weights: Tensor
    audio_mean: Tensor
    vision_mean: Tensor
    correlations: Tensor
    audio_rank: int
    vision_rank: int


def canonical_correlations(audio: Tensor, vision: Tensor, ridge: Ridge) -> Tensor:
    """(min(D_a, D_v),) regularised canonical correlations of pairs (n, D_a), (n, D_v), highest first.

    Differentiable, with a finite gradient for any n and a ridge above 0: Andrew et al. 2013, Deep
    Canonical Correlation Analysis, maximise their sum. A correlation that is mere rounding is zero and
    does not pull, so a single pair costs nothing. Computed in double precision, given back in that of
    `audio`.
    """
    return correlations_of(moments(audio, vision), ridge).to(precise(audio))


def correlations_of(found: Moments, ridge: Ridge) -> Tensor:
    """(min(D_a, D_v),) as `canonical_correlations`, of moments, in double precision."""
    values = torch.linalg.svdvals(_whitened(found, ridge)[0])
    return torch.where(values > NEGLIGIBLE, values, 0)


def cca_from_moments(found: Moments, width: int, ridge: Ridge) -> Canonical:
    """The W = `width` pairs of directions that correlate most.

    Raises:
        BadInput: more directions than clips or dimensions have, vectors that are all the same or do not
            correlate, or a singular covariance without a ridge.
    """
    ranks = _ranks(found, width, ridge)
    whitened, audio_factor, vision_factor = _whitened(found, ridge)
    left, values, right = torch.linalg.svd(whitened, full_matrices=False)
    values = torch.where(values > NEGLIGIBLE, values, 0)[:width]
    if values[0] == 0:
        raise BadInput(f"sound and pictures of the {found.count} training clips do not correlate at all")
    # An arbitrary direction would add noise to cosines, and another noise for another order of clips.
    left, right = left[:, :width] * (values > 0), right.mT[:, :width] * (values > 0)
    return Canonical(
        solve_triangular(audio_factor.mT, left, upper=True),
        solve_triangular(vision_factor.mT, right, upper=True),
        found.audio_mean,
        found.vision_mean,
        values,
        *ranks,
    )


def check_width(width: int, audio_width: int, vision_width: int, count: int | None = None) -> None:
    """Refuses more canonical directions than dimensions (or `count` clips) have.

    Raises:
        BadInput: width > min(n - 1, D_a, D_v).
    """
    most = min(audio_width, vision_width, *(() if count is None else (count - 1,)))
    if width > most:
        clips = "" if count is None else f"{count} training clips with "
        raise BadInput(
            f"{width} canonical directions are asked for, and {clips}{audio_width} audio and "
            f"{vision_width} vision dimensions have {max(0, most)} at most",
            key="width",
        )


def _whitened(found: Moments, ridge: Ridge) -> tuple[Tensor, Tensor, Tensor]:
    """(D_a, D_v) the whitened cross-covariance, then the factors that whiten either side."""
    audio_ridge, vision_ridge = _sides(ridge)
    audio = cholesky(_regularised(found.audio_covariance, audio_ridge))
    vision = cholesky(_regularised(found.vision_covariance, vision_ridge))
    half = solve_triangular(audio, found.cross_covariance, upper=False)
    return solve_triangular(vision, half.mT, upper=False).mT, audio, vision


def _sides(ridge: Ridge) -> tuple[float, float]:
    return ridge if isinstance(ridge, tuple) else (ridge, ridge)


def _regularised(covariance: Tensor, ridge: float) -> Tensor:
    size = len(covariance)
    spread = covariance.diagonal().mean()
    # Vectors that are all the same have no scale that a ridge could be a part of.
    added = torch.where(spread > 0, ridge * spread, 1)
    return covariance + added * torch.eye(size, dtype=covariance.dtype, device=covariance.device)


def _ranks(found: Moments, width: int, ridge: Ridge) -> tuple[int, int]:
    audio, vision = found.audio_covariance, found.vision_covariance
    check_width(width, len(audio), len(vision), found.count)
    audio_ridge, vision_ridge = _sides(ridge)
    return (
        _rank("audio", audio, found.count, audio_ridge),
        _rank("vision", vision, found.count, vision_ridge),
    )


def _rank(name: str, covariance: Tensor, count: int, ridge: float) -> int:
    if not covariance.isfinite().all():
        raise BadInput(f"the {name} vectors of the {count} training clips are not all finite")
    values = eigvalsh(covariance)
    rounding = max(len(covariance), count) * torch.finfo(values.dtype).eps * values[-1]
    rank = int((values > rounding).sum())
    if rank == 0:
        raise BadInput(f"the {name} vectors of all {count} training clips are the same")
    if rank < len(covariance) and ridge <= 0:
        raise BadInput(
            f"the {name} covariance of {count} training clips has rank {rank} in {len(covariance)} "
            "dimensions and cannot be inverted; a ridge above 0 is expected",
            key="ridge",
        )
    return rank
