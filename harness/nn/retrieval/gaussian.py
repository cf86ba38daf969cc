"""Latent vectors that are normal distributions with independent dimensions.

Letters: B clips, D dimensions. A distribution is its mean (B, D) and the logarithm of its variances
(B, D), of which values beyond ±20 count as ±20: the exponential of more is no use to anyone.
"""

from __future__ import annotations

import torch
from torch import Tensor

LIMIT = 20.0


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(B, D) one draw of each distribution, with the gradient of both parameters."""
    deviation = (log_variance.clamp(-LIMIT, LIMIT) / 2).exp()
    return mean + deviation * torch.randn_like(deviation)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(B,) KL(N(mean, variance) ‖ N(0, I)) = ½ Σ (variance + mean² - 1 - log variance)."""
    log_variance = log_variance.clamp(-LIMIT, LIMIT)
    return (log_variance.expm1() - log_variance + mean.square()).sum(1) / 2
