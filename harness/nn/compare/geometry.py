"""Directions, products and distances of vectors, with a finite gradient everywhere."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import vector_norm

SHORTEST = 1e-8
"""Vectors up to this length have no direction: one would answer rounding with a huge gradient."""


def precise(values: Tensor) -> Tensor:
    """The same values in single precision at least."""
    return values.float() if values.dtype in {torch.float16, torch.bfloat16} else values


def units(vectors: Tensor) -> Tensor:
    """(..., D) vectors of length one in the directions of `vectors`; zero, without a pull, for zero."""
    vectors = precise(vectors)
    lengths = vector_norm(vectors, dim=-1, keepdim=True)
    short = lengths <= SHORTEST
    return torch.where(short, 0, vectors / lengths.masked_fill(short, 1))


def rescaled(vectors: Tensor) -> Tensor:
    """(B, D) the same vectors, all divided by one number so that their squares sum to one."""
    return units(vectors.flatten()).view_as(vectors)


def products(left: Tensor, right: Tensor) -> Tensor:
    """(..., n, m) inner products of (..., n, D) with (..., m, D), in their own precision."""
    with torch.autocast(left.device.type, enabled=False):
        return left @ right.mT


def distances(points: Tensor) -> Tensor:
    """(n, n) Euclidean distances between points (n, D); equal points do not pull at each other."""
    # From differences, not from products: those lose the distances of near points to rounding.
    points = precise(points)
    return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")


def others(matrix: Tensor) -> Tensor:
    """(n, n - 1) the entries of a matrix (n, n) off its diagonal, row by row."""
    own = torch.eye(len(matrix), dtype=torch.bool, device=matrix.device)
    return matrix[~own].view(len(matrix), -1)


def centred(values: Tensor, dim: int) -> Tensor:
    """The same values less their mean along `dim`; exactly zero where they are constant.

    A spread within rounding of the values is none: divided by its own length it would be noise.
    """
    values = precise(values)
    spread = values - values.mean(dim, keepdim=True)
    rounding = 16 * torch.finfo(values.dtype).eps * vector_norm(values, dim=dim, keepdim=True)
    return torch.where(vector_norm(spread, dim=dim, keepdim=True) <= rounding, 0, spread)
