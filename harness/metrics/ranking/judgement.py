"""What a query's ranking of the gallery is worth, under any rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.ranking.order import Classes, rankings
from harness.metrics.ranking.precision import stable_ap
from harness.metrics.ranking.scores import Index, Scores, Values, compare
from harness.metrics.ranking.ties import expected_ap
from harness.metrics.retrieval_protocols import RetrievalRules
from harness.spec import BadInput

NEAREST = 10


@dataclass(frozen=True)
class Judgement:
    """What Q rankings are worth.

    Attributes:
        ap: (Q,) average precision, tied items in the order of the gallery.
        expected: (Q,) the same, expected over all orders of tied items.
        top: (Q, k) the best items of the gallery, k = 10 or all there are.
    """

    ap: Values
    expected: Values
    top: Index


def average_precision(  # noqa: PLR0913 - two sides of two arrays each, and the rules
    query: NDArray[Any],
    gallery: NDArray[Any],
    query_labels: NDArray[Any],
    gallery_labels: NDArray[Any],
    rules: RetrievalRules,
    *,
    excludes_itself: bool = False,
) -> Values:
    """(Q,) AP of each query's ranking of the gallery, tied items in the order of the gallery.

    Args:
        query: (Q, D).
        gallery: (G, D); G may differ from Q.
        query_labels: (Q,) integers; an item is relevant to the queries of its label.
        gallery_labels: (G,) integers.
        rules: similarity, depth and denominator.
        excludes_itself: both sides are the same rows, and row i is not in the gallery of query i.

    Raises:
        BadInput: rows and labels do not belong together, a value cannot be compared, or a query has no
            relevant item and the rules refuse that.
    """
    scores = compare(query, gallery, rules.similarity)
    labels = checked_labels(query_labels, len(query)), checked_labels(gallery_labels, len(gallery))
    return judge(scores, Classes(*labels, excludes_itself), rules).ap


def judge(scores: Scores, classes: Classes, rules: RetrievalRules, rows: int | None = None) -> Judgement:
    """Every query's ranking under `rules`, `rows` queries at a time.

    Raises:
        BadInput: a query has no relevant item and the rules refuse that.
    """
    if rules.no_relevant == "refuse":
        _refuse_without_relevant(classes)
    queries, items = len(classes.queries), classes.items
    depth = max(rules.ranks(queries, items), 1)
    ap, expected = np.zeros(queries), np.zeros(queries)
    top = np.zeros((queries, min(NEAREST, items)), dtype=np.int64)
    for block in rankings(scores, classes, rows):
        found = stable_ap(block.rows(), block.places(), block.relevant, rules, depth)
        ap[block.queries] = expected[block.queries] = found
        for row in np.flatnonzero(block.is_mixed()):
            expected[block.queries[row]] = expected_ap(block.keys[row, :items], rules, depth)
        top[block.queries] = block.top(top.shape[1])
    return Judgement(ap, expected, top)


def checked_labels(labels: NDArray[Any], rows: int) -> Index:
    """(N,) labels as integers.

    Raises:
        BadInput: they are not one integer a row.
    """
    found = np.asarray(labels)
    if found.shape != (rows,):
        raise BadInput(f"{rows} rows have labels of shape {found.shape}: expected ({rows},)")
    if found.dtype.kind not in "iu":
        raise BadInput(f"expected whole numbers as labels, given {found.dtype}")
    return found.astype(np.int64)


def _refuse_without_relevant(classes: Classes) -> None:
    is_without = classes.relevant() < 1
    without = np.unique(classes.queries[is_without])
    if not len(without):
        return
    listed = ", ".join(map(str, without[:5])) + (", …" if len(without) > 5 else "")
    raise BadInput(
        f"class {listed} is absent from the gallery of {classes.items} items: {is_without.sum()} of "
        f"{len(is_without)} queries have no average precision (published codes count 0)"
    )
