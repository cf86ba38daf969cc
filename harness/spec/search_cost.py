"""What searching with the vectors of a trained arm costs, part by part."""

from __future__ import annotations

from statistics import median
from typing import Literal

from pydantic import Field

from harness.spec.base import Frozen
from harness.spec.result import Environment

IndexName = Literal["exact", "faiss_flat", "faiss_ivf", "faiss_hnsw"]
"""``exact`` and ``faiss_flat`` compare with every vector, by torch and by faiss; the others do not."""


class SearchWorkload(Frozen):
    """What is searched, how often, and how it is timed."""

    galleries: tuple[int, ...] = Field((5_620, 100_000, 1_000_000), min_length=1)
    """Numbers of vectors to search among."""

    indices: tuple[IndexName, ...] = ("exact", "faiss_flat", "faiss_ivf", "faiss_hnsw")
    queries: int = Field(1000, ge=1)
    k: int = Field(10, ge=1)
    """How many of the nearest are asked for."""

    batches: tuple[int, ...] = (1, 64)
    """Queries that come at a time."""

    jitter: float = Field(0.1, ge=0)
    """Root mean square length of what is added to a vector that is used again, as a share of the mean
    length of all."""

    repeats: int = Field(5, ge=1)
    seconds: float = Field(1.0, gt=0)
    """A repeat ends after all queries, or with the first batch that ends later than this."""

    seed: int = 0


class Repeats(Frozen):
    """One part, timed several times over."""

    batch_size: int
    samples_ms: tuple[float, ...] = Field(min_length=1)
    """Milliseconds a query, one number a repeat."""

    @property
    def median_ms(self) -> float:
        """The median over repeats, in milliseconds a query."""
        return median(self.samples_ms)


class IndexCost(Frozen):
    """One index over one gallery."""

    index: IndexName
    settings: str
    gallery: int
    made: int
    """How many of its vectors are jittered copies."""

    build_seconds: float
    """From unit vectors in memory to an index that answers; measured once."""

    index_bytes: int
    recall: float
    """Share of the exactly nearest k that are among those found."""

    search: tuple[Repeats, ...]


class SearchCost(Frozen):
    """Everything that was measured of one trained arm."""

    study: str
    arm: str
    seed: int
    trial_id: str
    model: str
    data_fingerprint: str
    parameters: int
    width: int
    test_clips: int
    workload: SearchWorkload
    encoding: tuple[Repeats, ...]
    """A forward pass over clips that are ready as tensors, in the order of `workload.batches`."""

    indices: tuple[IndexCost, ...]
    threads: dict[str, int]
    """From a library to the threads that it says it has."""

    environment: Environment

    def total_ms(self, index: IndexCost, batch: int) -> float:
        """Encoding and searching, in milliseconds a query, when `batch` queries come at a time."""
        at = self.workload.batches.index(batch)
        return self.encoding[at].median_ms + index.search[at].median_ms
