"""Means and covariances of sound and pictures, over clips or over all pairs of one class.

Letters: n clips, D_a and D_v dimensions of their audio and vision vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harness.nn.compare.geometry import centred


@dataclass(frozen=True)
class Moments:
    """What canonical correlation knows of paired vectors, in double precision.

    Attributes:
        count: n clips that they were taken over.
        audio_mean, vision_mean: (D_a,) and (D_v,).
        audio_covariance, vision_covariance: (D_a, D_a) and (D_v, D_v), divided by the number of pairs.
        cross_covariance: (D_a, D_v).
    """

    count: int
    audio_mean: Tensor
    vision_mean: Tensor
    audio_covariance: Tensor
    vision_covariance: Tensor
    cross_covariance: Tensor


def moments(audio: Tensor, vision: Tensor) -> Moments:
    """The moments of n pairs of vectors (n, D_a) and (n, D_v); differentiable."""
    audio, vision = doubled(audio), doubled(vision)
    count = len(audio)
    audio_spread, vision_spread = centred(audio, 0), centred(vision, 0)
    return Moments(
        count,
        audio.mean(0),
        vision.mean(0),
        audio_spread.mT @ audio_spread / count,
        vision_spread.mT @ vision_spread / count,
        audio_spread.mT @ vision_spread / count,
    )


def cluster_moments(audio: Tensor, vision: Tensor, labels: Tensor) -> Moments:
    """The moments of all pairs of an audio and a vision vector of one class; differentiable.

    Of (n, D_a), (n, D_v) and classes (n,). Rasiwasia et al. 2014, Cluster Canonical Correlation
    Analysis, with the means over pairs taken off. No pair is made: a vector is in as many pairs as its
    class has clips, and a class's part of the cross-covariance is the outer product of its two sums.
    """
    audio, vision = doubled(audio), doubled(vision)
    classes, of, counts = labels.to(audio.device).unique(return_inverse=True, return_counts=True)
    pairs = counts.double().square().sum()
    weights = (counts / pairs)[of].unsqueeze(1)
    audio_mean, vision_mean = (weights * audio).sum(0), (weights * vision).sum(0)
    audio, vision = centred(audio, 0), centred(vision, 0)
    audio, vision = audio - (weights * audio).sum(0), vision - (weights * vision).sum(0)
    audio_sums, vision_sums = (
        torch.zeros(len(classes), each.shape[1], dtype=each.dtype, device=each.device).index_add(
            0, of, each
        )
        for each in (audio, vision)
    )
    return Moments(
        len(audio),
        audio_mean,
        vision_mean,
        audio.mT @ (weights * audio),
        vision.mT @ (weights * vision),
        audio_sums.mT @ vision_sums / pairs,
    )


def doubled(vectors: Tensor) -> Tensor:
    """The same vectors in double precision, on the CPU if their device is Apple's, which has none."""
    return (vectors.cpu() if vectors.device.type == "mps" else vectors).double()
