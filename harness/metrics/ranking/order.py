"""Whole rankings, a block of queries at a time: one product and one sort of integers.

Score, place and relevance of an item are packed into one integer, so that sorting does everything:

    key = -round(score × 2^40) × 2^22 + place × 2 + relevance

Scores that are equal to 2^-40 (0.9e-12) are tied, which is a thousand times what a dot product of unit
vectors in float64 errs by; tied items keep the order of the gallery.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.metrics.ranking.scores import Index, Scores
from harness.spec import BadInput

# A float64 around it is a multiple of 2^-40, whatever is added to it.
ANCHOR = 1.5 * 2.0**12
PLACE_BITS = 21
SHIFT = PLACE_BITS + 1
PLACE = (1 << PLACE_BITS) - 1
# Above the key of every score, and even: an item that is left out is last and relevant to nobody.
LEFT_OUT = 3 << 61
BLOCK_SCORES = 1 << 19
FEWEST_ROWS, MOST_ROWS = 16, 64


@dataclass(frozen=True)
class Classes:
    """What is relevant to what: items of the query's class.

    Attributes:
        queries: (Q,) the class of each query.
        gallery: (G,) the class of each item.
        excludes_itself: queries and gallery are the same clips, and a query does not find itself.
    """

    queries: Index
    gallery: Index
    excludes_itself: bool = False

    @property
    def items(self) -> int:
        """How many items a query has to rank."""
        return len(self.gallery) - self.excludes_itself

    def relevant(self) -> Index:
        """(Q,) how many of them are of the query's class."""
        known, counts = np.unique(self.gallery, return_counts=True)
        place = np.searchsorted(known, self.queries).clip(max=len(known) - 1)
        found = np.where(known[place] == self.queries, counts[place], 0)
        return np.asarray(found - self.excludes_itself)


@dataclass(frozen=True)
class Block:
    """The rankings of some queries.

    Attributes:
        queries: (b,) which queries.
        keys: (b, G) their keys, best item first; overwritten by the next block.
        hits: (h,) places of relevant items in the flattened rankings, ascending.
        relevant: (b,) how many of them are each query's.
    """

    queries: Index
    keys: Index
    hits: Index
    relevant: Index

    @classmethod
    def of(cls, queries: Index, keys: Index) -> Block:
        """The block of sorted keys (b, G)."""
        hits = np.flatnonzero((keys.astype(np.uint8) & 1).view(bool))
        ends = np.searchsorted(hits, np.arange(1, len(keys) + 1) * keys.shape[1])
        return cls(queries, keys, hits, np.diff(ends, prepend=0))

    def rows(self) -> Index:
        """(h,) the ranking that each relevant item stands in, of this block's."""
        return np.repeat(np.arange(len(self.keys)), self.relevant)

    def places(self) -> Index:
        """(h,) the place of each relevant item in its ranking, from 0."""
        starts = np.arange(len(self.keys)) * self.keys.shape[1]
        return self.hits - np.repeat(starts, self.relevant)

    def top(self, count: int) -> Index:
        """(b, count) the best gallery items of each query."""
        return (self.keys[:, :count] >> 1) & PLACE

    def is_mixed(self) -> NDArray[np.bool_]:
        """(b,) whether a relevant and an irrelevant item of a query are tied."""
        rows, items = self.keys.shape
        flat, mixed = self.keys.ravel(), np.zeros(rows, dtype=bool)
        # Within a tie of both kinds two neighbours differ in kind: same score, other relevance.
        for step, edge in ((-1, 0), (1, items - 1)):
            neighbours = np.take(flat, self.hits + step, mode="clip")
            near = self.hits[((flat[self.hits] ^ neighbours) & ~(PLACE << 1)) == 1]
            mixed[near[near % items != edge] // items] = True
        return mixed


def rankings(scores: Scores, classes: Classes, rows: int | None = None) -> Iterator[Block]:
    """The ranking of the whole gallery for every query, block by block, each query in one block.

    Memory is that of `rows` × G numbers of 8 bytes, a few times; queries of one class come together.

    Args:
        scores: what to rank by.
        classes: of the same queries and items.
        rows: queries a block; None chooses by the size of the gallery.

    Raises:
        BadInput: the gallery has more items than a key has places.
    """
    items = scores.items
    if items > PLACE:
        raise BadInput(f"the gallery has {items} items: expected at most {PLACE}")
    rows = rows or min(max(BLOCK_SCORES // items, FEWEST_ROWS), MOST_ROWS)
    order = np.argsort(classes.queries, kind="stable")
    found, keys = np.empty((rows, items)), np.empty((rows, items), dtype=np.int64)
    ordered = scores.of(order)
    for start in range(0, len(order), rows):
        asked = order[start : start + rows]
        ordered.write(start, found)
        block = keys[: len(asked)]
        _pack(found[: len(asked)], block)
        _mark(block, classes.queries[asked], classes.gallery)
        if classes.excludes_itself:
            block[np.arange(len(asked)), asked] = LEFT_OUT
        block.sort(axis=1)
        yield Block.of(asked, block)


def _pack(scores: NDArray[np.float64], keys: Index) -> None:
    """Scores in [-1, 1] become multiples of 2^22, the best the lowest; the scores are used up."""
    # The last bit of such a sum is worth 2^-40, so that its bits are those of ANCHOR plus the rounded
    # score; the shift drops what is of ANCHOR. Scaling, rounding and converting takes twice the time.
    np.subtract(ANCHOR, scores, out=scores)
    np.left_shift(scores.view(np.int64), SHIFT, out=keys)


def _mark(keys: Index, query_labels: Index, gallery_labels: Index) -> None:
    """Adds place and relevance, class by class; the labels of queries ascend."""
    places = np.arange(len(gallery_labels), dtype=np.int64) << 1
    bounds = np.flatnonzero(np.diff(query_labels)) + 1
    for rows in np.split(np.arange(len(query_labels)), bounds):
        keys[rows[0] : rows[-1] + 1] += places + (gallery_labels == query_labels[rows[0]])
