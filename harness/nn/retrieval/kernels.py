"""Kernels between clips, and few clips that stand for all of them.

Letters: n clips, D dimensions, R landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import torch
from torch import Tensor
from torch.linalg import cholesky, solve_triangular

KernelName = Literal["rbf", "cosine", "linear"]

REDUNDANT = 1e-8
"""A clip is a combination of landmarks if this share of the largest squared length is all it adds."""

MEDIAN_CLIPS = 1000
"""How many clips the median distance is taken over; half a million pairs."""


@dataclass(frozen=True)
class Points:
    """Vectors (n, D) that a kernel compares, and their squared lengths (n,)."""

    vectors: Tensor
    squares: Tensor

    @classmethod
    def of(cls, vectors: Tensor) -> Points:
        """With the lengths that they have."""
        return cls(vectors, vectors.square().sum(1))

    def at(self, index: Tensor) -> Points:
        """The points of `index`, in that order."""
        return Points(self.vectors[index], self.squares[index])

    def __len__(self) -> int:
        return len(self.vectors)


def kernel(name: KernelName, left: Points, right: Points) -> Tensor:
    """(n, m) of points (n, D) and (m, D): exp(-|x - z|²) for rbf, else x · z.

    For the cosine kernel points are of length one, or zero.
    """
    products = left.vectors @ right.vectors.mT
    if name != "rbf":
        return products
    return torch.exp(-(left.squares.unsqueeze(1) + right.squares - 2 * products).clamp(min=0))


def own_order(rows: Tensor) -> Tensor:
    """(n,) an order of rows (n, D) that depends on each row's numbers alone, as random as a hash."""
    kept = rows.float().cpu().numpy()
    hashes = [sha256(row.tobytes()).digest() for row in kept]
    return torch.tensor(sorted(range(len(hashes)), key=hashes.__getitem__), device=rows.device)


def median_distance(rows: Tensor) -> float:
    """The median distance of rows (n, D) that differ, of the first `MEDIAN_CLIPS`; 0 if none do."""
    found = torch.pdist(rows[:MEDIAN_CLIPS])
    found = found[found > 0]
    return float(found.median()) if len(found) else 0.0


def pivots(name: KernelName, points: Points, rank: int) -> Tensor:
    """(R,) indices of up to `rank` points whose span comes close to that of all, the farthest next.

    Incomplete Cholesky decomposition with greedy pivots (Fine and Scheinberg 2001; for kernel CCA Bach
    and Jordan 2002): in every step the point with the largest part outside the span. It ends when what
    is left is redundant. Of equal points the first is taken. Memory is O(n R), time O(n R (R + D)).
    """
    left = torch.ones_like(points.squares) if name == "rbf" else points.squares.clone()
    least = REDUNDANT * left.max()
    factor = left.new_empty(min(rank, len(points)), len(points))
    chosen: list[int] = []
    for step in range(len(factor)):
        pivot = int(left.argmax())
        if left[pivot] <= least:
            break
        column = kernel(name, points.at(torch.tensor([pivot])), points)[0]
        column -= factor[:step, pivot] @ factor[:step]
        factor[step] = column / left[pivot].sqrt()
        left = (left - factor[step].square()).clamp(min=0)
        left[pivot] = 0
        chosen.append(pivot)
    return torch.tensor(chosen, device=left.device, dtype=torch.int64)


def inverse_factor(name: KernelName, landmarks: Points) -> Tensor:
    """(R, R) L⁻ᵀ, with L Lᵀ the kernel of the landmarks: k(x, landmarks) L⁻ᵀ is x in their span.

    Inner products of such features are the Nyström approximation of the kernel (Williams and Seeger
    2001), which is exact between landmarks.
    """
    factor = cholesky(kernel(name, landmarks, landmarks))
    return solve_triangular(factor.mT, torch.eye(len(factor)).to(factor), upper=True)
