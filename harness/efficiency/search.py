"""Searching among vectors by their angle: galleries, the exact search, and its clock.

Letters: N vectors of a gallery, Q queries, D features.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from time import perf_counter
from typing import Protocol, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from harness.spec import BadInput

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

GALLERY_BLOCK = 65_536
"""Vectors that are compared at a time; with 64 queries their scores are 16 MiB."""

QUERY_BLOCK = 64


class Index(Protocol):
    """A gallery that is ready to be searched."""

    settings: str

    def search(self, queries: Tensor, k: int) -> Tensor:
        """(Q, k) rows of the gallery, nearest first, for unit queries (Q, D)."""

    def size_bytes(self) -> int:
        """What the index takes, the gallery's vectors included."""


class ExactIndex:
    """Every query against every vector, block by block, by torch."""

    settings = f"torch, blocks of {QUERY_BLOCK} × {GALLERY_BLOCK}"

    def __init__(self, gallery: Tensor) -> None:
        self._gallery = gallery

    def search(self, queries: Tensor, k: int) -> Tensor:
        """(Q, k) rows with the largest inner products, largest first."""
        return torch.cat([self._nearest(block, k) for block in queries.split(QUERY_BLOCK)])

    def size_bytes(self) -> int:
        """The vectors are all there is."""
        return self._gallery.nbytes

    def _nearest(self, queries: Tensor, k: int) -> Tensor:
        scores, rows = [], []
        for start in range(0, len(self._gallery), GALLERY_BLOCK):
            block = self._gallery[start : start + GALLERY_BLOCK]
            found = (queries @ block.T).topk(min(k, len(block)), dim=1)
            scores.append(found.values)
            rows.append(found.indices + start)
        best = torch.cat(scores, dim=1).topk(k, dim=1).indices
        return torch.cat(rows, dim=1).gather(1, best)


def grown(vectors: Tensor, count: int, jitter: float, draw: torch.Generator) -> Tensor:
    """`count` vectors (count, D) like those given (N, D).

    Up to N they are drawn without repetition; beyond, all N and then copies of them, drawn with
    repetition, each moved in a random direction by `jitter` mean lengths (root mean square).
    """
    size, width = vectors.shape
    if count <= size:
        return vectors[torch.randperm(size, generator=draw)[:count]]
    rows = torch.randint(size, (count - size,), generator=draw)
    deviation = jitter * float(vectors.norm(dim=1).mean()) / math.sqrt(width)
    moved = torch.randn(len(rows), width, generator=draw).mul_(deviation).add_(vectors[rows])
    return torch.cat([vectors, moved])


def unit(vectors: Tensor) -> Tensor:
    """The vectors (N, D) at length one, whose inner products are cosines.

    Raises:
        BadInput: one of them is zero or not finite, and has no direction.
    """
    lengths = vectors.norm(dim=1)
    wrong = int((~lengths.isfinite() | (lengths == 0)).sum())
    if wrong:
        raise BadInput(f"{wrong} of {len(vectors)} vectors are zero or not finite")
    return normalize(vectors, dim=1)


def recall(found: Tensor, exact: Tensor) -> float:
    """The share of the rows `exact` (Q, k) that `found` (Q, k) has for the same query."""
    return float((exact.unsqueeze(2) == found.unsqueeze(1)).any(2).double().mean())


def built(build: Callable[[], Index]) -> tuple[Index, float]:
    """The index and the seconds it took."""
    started = perf_counter()
    index = build()
    return index, perf_counter() - started


def pass_ms(
    answer: Callable[[T], object], batches: Sequence[T], size: Callable[[T], int], seconds: float
) -> float:
    """Milliseconds a query over the batches, in order, until all are done or the time is over."""
    done = 0
    started = perf_counter()
    for batch in batches:
        answer(batch)
        done += size(batch)
        if perf_counter() - started >= seconds:
            break
    return 1e3 * (perf_counter() - started) / done


def in_turns(timed: Mapping[K, Callable[[], float]], repeats: int) -> dict[K, tuple[float, ...]]:
    """The samples of each, taken in turns, so that what slows the machine slows all of them.

    A first round warms up and is no sample.
    """
    samples: dict[K, list[float]] = {key: [] for key in timed}
    for repeat in range(repeats + 1):
        for key, measure in timed.items():
            found = measure()
            if repeat:
                samples[key].append(found)
    return {key: tuple(found) for key, found in samples.items()}
