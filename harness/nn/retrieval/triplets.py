"""Triplets of an anchor, a clip of its class and a clip of another, across modalities.

Letters: n anchors, m candidates, B clips, D features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from harness.nn.compare.geometry import products, units
from harness.nn.compare.pair import costs_nothing

Mining = Literal["all", "hardest", "semi_hard"]
"""all: every triplet; hardest: each anchor's farthest positive with its nearest negative; semi_hard:
each positive with the nearest negative beyond it, or with the farthest one if none is beyond it."""


@dataclass(frozen=True)
class TripletRule:
    """Which triplets of a batch count, and from where on one costs nothing.

    Attributes:
        margin: by how much a negative has to be farther off than a positive.
        mining: which of an anchor's positives and negatives count.
        within: whether clips are anchors within their modality too.
    """

    margin: float
    mining: Mining = "all"
    within: bool = False


def cross_modal_triplets(audio: Tensor, vision: Tensor, target: Tensor, rule: TripletRule) -> Tensor:
    """The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin) over mined triplets.

    d is 1 - cosine. Anchors are the sounds (B, D) with pictures (B, D) to choose from and the other way
    round; `within` adds both modalities with themselves, where a clip is not its own positive. All
    triplets weigh the same; a batch without any costs nothing. `target` is (B,).
    """
    total, count = costs_nothing(audio) + costs_nothing(vision), 0
    for distances, positive, negative in _families(units(audio), units(vision), target, rule.within):
        cost, mined = triplet_cost(distances, positive, negative, rule)
        total, count = total + cost, count + mined
    return total / max(count, 1)


def triplet_cost(
    distances: Tensor, positive: Tensor, negative: Tensor, rule: TripletRule
) -> tuple[Tensor, int]:
    """The sum of the costs of all mined triplets, and how many they are.

    Of distances (n, m) from anchors to candidates, and whether a candidate is a positive or a negative
    of the anchor, (n, m) bool each; it may be neither.
    """
    whole = positive.any(1) & negative.any(1)
    if not whole.any():
        return costs_nothing(distances), 0
    mined = {"all": _all, "hardest": _hardest, "semi_hard": _semi_hard}[rule.mining]
    return mined(distances[whole], positive[whole], negative[whole], rule.margin)


def _families(
    audio: Tensor, vision: Tensor, target: Tensor, within: bool
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    same = target.unsqueeze(1) == target
    across = 1 - products(audio, vision)
    yield across, same, ~same
    yield across.mT, same, ~same
    if within:
        others = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
        for vectors in (audio, vision):
            yield 1 - products(vectors, vectors), others, ~same


def _all(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> tuple[Tensor, int]:
    # Of sorted negatives the first k cost a positive k (d + margin) less their sum: n m² triplets
    # without as many numbers.
    ordered = _ordered(distances, negative)
    sums = torch.cat((ordered.new_zeros(len(ordered), 1), _finite(ordered).cumsum(1)), dim=1)
    reach = distances + margin
    within_reach = torch.searchsorted(ordered.detach(), reach.detach())
    costs = within_reach * reach - sums.gather(1, within_reach)
    count = (positive.sum(1) * negative.sum(1)).sum()
    return torch.where(positive, costs, 0).sum(), int(count)


def _hardest(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> tuple[Tensor, int]:
    farthest = distances.masked_fill(~positive, -torch.inf).amax(1)
    nearest = distances.masked_fill(~negative, torch.inf).amin(1)
    return (farthest - nearest + margin).relu().sum(), len(distances)


def _semi_hard(
    distances: Tensor, positive: Tensor, negative: Tensor, margin: float
) -> tuple[Tensor, int]:
    ordered = _ordered(distances, negative)
    beyond = torch.searchsorted(ordered.detach(), distances.detach().contiguous(), right=True)
    farthest = negative.sum(1, keepdim=True) - 1
    chosen = _finite(ordered).gather(1, torch.minimum(beyond, farthest))
    costs = (distances - chosen + margin).relu()
    return torch.where(positive, costs, 0).sum(), int(positive.sum())


def _ordered(distances: Tensor, negative: Tensor) -> Tensor:
    """(n, m) each anchor's distances to its negatives, nearest first, then infinities."""
    return distances.masked_fill(~negative, torch.inf).sort(1).values


def _finite(ordered: Tensor) -> Tensor:
    return ordered.masked_fill(ordered.isinf(), 0)
