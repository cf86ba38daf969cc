"""Sentiment levels: where a label lies among them, and how far two distributions over them are."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest_level(target: Tensor, label_range: tuple[float, float], count: int) -> Tensor:
    """(B,) index of the level that each target (B,) rounds to; of class indices, they themselves.

    The levels are evenly spaced over the label range; a target half-way between two rounds to the
    even index offset, as Acc-7 does on [-3, 3].
    """
    low, high = label_range
    step = (high - low) / (count - 1)
    middle = (low + high) / 2
    offset = torch.round((target - middle) / step) if count % 2 else torch.round((target - low) / step)
    index = offset + (count - 1) // 2 if count % 2 else offset
    return index.long().clamp(0, count - 1)


def level_shares(target: Tensor, label_range: tuple[float, float], count: int) -> Tensor:
    """(B, K) distributions over the levels whose expectations are the targets (B,).

    A target between two levels is shared by the two in proportion to nearness; one beyond the label
    range belongs to its end.
    """
    low, high = label_range
    place = ((target - low) / (high - low) * (count - 1)).clamp(0, count - 1)
    levels = torch.arange(count, device=target.device)
    return (1 - (place.unsqueeze(1) - levels).abs()).clamp(min=0)


def squared_emd(shares: Tensor, others: Tensor) -> Tensor:
    """(B,) squared earth mover's distances between distributions (B, K) over ordered levels.

    The sum over levels of the squared differences of the cumulative shares (Hou et al. 2016,
    arXiv 1611.05916), in [0, K - 1]; neighbouring levels are one apart.
    """
    return (shares.cumsum(1) - others.cumsum(1)).square().sum(1)
