"""How far two sets of vectors are apart, moment by moment."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import vector_norm

from harness.nn.compare.geometry import precise


def central_moment_discrepancy(left: Tensor, right: Tensor, moments: int) -> Tensor:
    """|E x - E y| + sum of |c_k(x) - c_k(y)| over k = 2 to `moments`, a scalar.

    Of vectors (B, D) and (B', D); c_k are central moments of each of the D numbers, the bars Euclidean
    lengths. Zellinger et al. 2017, arXiv 1702.08811, definition 2, for values in an interval of length
    one such as the logistic function's (the paper divides moment k by that length's power k). Equal sets
    cost nothing and do not pull. Leading dimensions are kept.
    """
    return moment_distance(central_moments(left, moments), central_moments(right, moments))


def central_moments(values: Tensor, moments: int) -> Tensor:
    """(..., K, D) the mean of vectors (..., B, D) over B, then central moments 2 to K."""
    values = precise(values)
    mean = values.mean(-2, keepdim=True)
    power = spread = values - mean
    found = [mean]
    for _ in range(moments - 1):
        power = power * spread
        found.append(power.mean(-2, keepdim=True))
    return torch.cat(found, dim=-2)


def moment_distance(left: Tensor, right: Tensor) -> Tensor:
    """(...) the sum over K of the lengths of differences of moments (..., K, D)."""
    difference = left - right
    # The square of a fifth moment leaves single precision early.
    scale = difference.detach().abs().amax(-1, keepdim=True)
    scale = torch.where(scale > 0, scale, 1)
    return (scale.squeeze(-1) * vector_norm(difference / scale, dim=-1)).sum(-1)
