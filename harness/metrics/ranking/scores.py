"""How alike a query and each gallery item are, as a number in [-1, 1], a block of queries at a time.

The same pair has the same score to the last bit however many queries are asked together: blocks have
one shape per gallery, the last one padded; and equal gallery rows are compared once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.spec import BadInput

Values = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """The vectors of both sides, ready to be compared.

    Attributes:
        queries: (Q, D).
        gallery: (U, D) the distinct rows of the gallery.
        places: (G,) the row of `gallery` that each item has; None where no two items are equal.
        reach: (Q,) the largest distance that a query may have; None where the score is a dot product.
    """

    queries: Values
    gallery: Values
    places: Index | None
    reach: Values | None = None

    @property
    def items(self) -> int:
        """G."""
        return len(self.gallery) if self.places is None else len(self.places)

    def of(self, order: Index) -> Scores:
        """The same scores with the queries of `order` (Q,), in that order."""
        reach = None if self.reach is None else self.reach[order]
        return replace(self, queries=self.queries[order], reach=reach)

    def write(self, start: int, out: Values) -> int:
        """Writes the scores of queries `start` … into the rows of `out` (rows, G); returns how many.

        Rows of `out` beyond the last query hold no scores.
        """
        asked = self.queries[start : start + len(out)]
        if self.reach is not None:
            found = _closeness(asked, self.gallery, self.reach[start : start + len(out)])
            np.take(found, self._each_place(), axis=1, out=out[: len(asked)])
            return len(asked)
        # BLAS picks its order of summation by the shape: a short block would round otherwise.
        padded = np.zeros((len(out), self.queries.shape[1]))
        padded[: len(asked)] = asked
        if self.places is None:
            np.matmul(padded, self.gallery.T, out=out)
        else:
            np.take(padded @ self.gallery.T, self.places, axis=1, out=out)
        return len(asked)

    def _each_place(self) -> Index:
        return np.arange(len(self.gallery)) if self.places is None else self.places


def compare(
    query: NDArray[Any], gallery: NDArray[Any], similarity: Literal["cosine", "euclidean"]
) -> Scores:
    """Scores of (Q, D) against (G, D): cosines, or distances with the smallest highest.

    A distance is measured in units of the query's norm and the largest norm of the gallery together.

    Raises:
        BadInput: widths differ, a value is not finite, or a row is zero and has no cosine.
    """
    query, gallery = finite(query, "query rows"), finite(gallery, "gallery rows")
    if query.shape[1] != gallery.shape[1]:
        raise BadInput(
            f"queries are {query.shape[1]} wide and the gallery {gallery.shape[1]}: expected one width"
        )
    if similarity == "cosine":
        return Scores(_unit(query, "query rows"), *_distinct(_unit(gallery, "gallery rows")))
    reach = np.linalg.norm(query, axis=1) + np.linalg.norm(gallery, axis=1).max(initial=0)
    return Scores(query, *_distinct(gallery), reach=np.where(reach > 0, reach, 1))


def compare_matches(factors: NDArray[Any]) -> Scores:
    """Scores of (N, M + 1) factors against themselves: f_i · f_j + (b_i + b_j) / 2, scaled per query.

    What a query adds to all its scores (b_i) and what it multiplies them by change no ranking.

    Raises:
        BadInput: a value is not finite.
    """
    factors = finite(factors, "rows of match factors")
    vectors, halves = factors[:, :-1], factors[:, -1:] / 2
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    bound = norms * norms.max(initial=0) + np.abs(halves).max(initial=0)
    queries = np.hstack([vectors, np.ones_like(halves)]) / np.where(bound > 0, bound, 1)
    return Scores(queries, *_distinct(np.hstack([vectors, halves])))


def finite(rows: NDArray[Any], what: str) -> Values:
    """(N, D) float64 of rows whose values are all finite.

    Raises:
        BadInput: they are no matrix, there are none, or some are not finite.
    """
    checked = np.asarray(rows, dtype=np.float64)
    if checked.ndim != 2 or not checked.size:
        raise BadInput(f"expected (N, D) {what} with N and D above 0, given {checked.shape}")
    faulty = int((~np.isfinite(checked)).any(1).sum())
    if faulty:
        raise BadInput(f"{faulty} of {len(checked)} {what} are not finite")
    return checked


def _unit(rows: Values, what: str) -> Values:
    # Scaling by the largest entry first keeps squares of tiny and of huge values in range.
    largest = np.abs(rows).max(1, keepdims=True)
    empty = int((largest == 0).sum())
    if empty:
        raise BadInput(f"{empty} of {len(rows)} {what} are zero, which have no cosine")
    scaled = rows / largest
    return np.asarray(scaled / np.linalg.norm(scaled, axis=1, keepdims=True))


def _distinct(rows: Values) -> tuple[Values, Index | None]:
    """The distinct rows in order of appearance, and the place of each row; None if all are distinct."""
    rows = np.ascontiguousarray(rows + 0.0)  # minus zero has bits of its own
    seen: dict[bytes, int] = {}
    places = np.array([seen.setdefault(row.tobytes(), len(seen)) for row in rows], dtype=np.int64)
    if len(seen) == len(rows):
        return rows, None
    _, first = np.unique(places, return_index=True)
    return rows[first], places


def _closeness(query: Values, gallery: Values, reach: Values) -> Values:
    from scipy.spatial.distance import cdist

    # Differences, not squares of norms: near vectors keep their digits.
    return np.asarray(-cdist(query, gallery) / reach[:, None])
