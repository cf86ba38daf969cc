"""The indices of faiss: one that compares with every vector, and two that do not."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from harness.nn.extras import find_extra
from harness.spec.search_cost import IndexName

PROBES = 16
"""Lists of the inverted file that a query is compared with; there are √N of them."""

LINKS, BUILD_WIDTH, SEARCH_WIDTH = 16, 40, 64
"""Neighbours a vector has in the graph; candidates kept while it is built, and while it is searched."""


class FaissIndex:
    """Unit vectors in an index of faiss, compared by inner product.

    Raises:
        BadInput: faiss is not installed.
    """

    def __init__(self, name: IndexName, gallery: Tensor) -> None:
        self._index, self.settings = _MAKERS[name](_faiss(), *gallery.shape)
        vectors = gallery.numpy()
        self._index.train(vectors)
        self._index.add(vectors)

    def search(self, queries: Tensor, k: int) -> Tensor:
        """(Q, k) rows, nearest first; -1 where the index found fewer."""
        return torch.from_numpy(self._index.search(queries.numpy(), k)[1])

    def size_bytes(self) -> int:
        """What the index takes in a file."""
        return int(_faiss().serialize_index(self._index).nbytes)


def use_threads(count: int) -> int:
    """Gives faiss so many threads; the number that it then says it has.

    Raises:
        BadInput: faiss is not installed.
    """
    faiss = _faiss()
    faiss.omp_set_num_threads(count)
    return int(faiss.omp_get_max_threads())


def _faiss() -> Any:
    find_extra("faiss", extra="faiss", key="--index")
    import faiss

    return faiss


def _flat(faiss: Any, _: int, width: int) -> tuple[Any, str]:
    return faiss.IndexFlatIP(width), f"faiss {faiss.__version__}"


def _ivf(faiss: Any, size: int, width: int) -> tuple[Any, str]:
    lists = max(1, round(math.sqrt(size)))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
    # Small galleries have fewer than the 39 vectors a list below which faiss writes a warning.
    index.cp.min_points_per_centroid = 1
    index.nprobe = min(PROBES, lists)
    return index, f"faiss {faiss.__version__}, √N lists, {PROBES} of them read"


def _hnsw(faiss: Any, _: int, width: int) -> tuple[Any, str]:
    index = faiss.IndexHNSWFlat(width, LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = BUILD_WIDTH, SEARCH_WIDTH
    words = f"{LINKS} links, {BUILD_WIDTH} candidates to build, {SEARCH_WIDTH} to search"
    return index, f"faiss {faiss.__version__}, {words}"


_MAKERS = {"faiss_flat": _flat, "faiss_ivf": _ivf, "faiss_hnsw": _hnsw}
