"""Average precision from the ranks of relevant items."""

from __future__ import annotations

import numpy as np

from harness.metrics.ranking.scores import Index, Values
from harness.metrics.retrieval_protocols import RetrievalRules


def stable_ap(row: Index, place: Index, relevant: Index, rules: RetrievalRules, depth: int) -> Values:
    """(b,) AP of rankings whose ties have been given an order.

    Args:
        row: (h,) the ranking that each relevant item stands in, ascending.
        place: (h,) the item's place in that ranking from 0, ascending in each ranking.
        relevant: (b,) how many relevant items each ranking has, h of them together.
        rules: the denominator, and whether prefixes are averaged.
        depth: how many ranks count, at least 1.
    """
    first = np.cumsum(relevant) - relevant
    nth = np.arange(1, len(row) + 1) - np.repeat(first, relevant)
    if rules.is_prefix_averaged:
        precisions = np.split(nth / (place + 1), first[1:])
        return _over_prefixes(precisions, np.split(place, first[1:]), depth)
    hits = relevant
    if place.max(initial=0) >= depth:
        inside = place < depth
        row, place, nth = row[inside], place[inside], nth[inside]
        hits = np.bincount(row, minlength=len(relevant))
    total = np.bincount(row, weights=nth / (place + 1), minlength=len(relevant))
    return np.asarray(total / denominators(relevant, hits, rules, depth))


def denominators(relevant: Index, hits: Index, rules: RetrievalRules, depth: int) -> Values:
    """(b,) what sums of precisions are divided by; 1 where there is nothing to sum."""
    chosen = {"relevant": relevant, "hits": hits, "min": np.minimum(relevant, depth)}
    return np.maximum(chosen[rules.denominator], 1).astype(np.float64)


def _over_prefixes(precisions: list[Values], places: list[Index], depth: int) -> Values:
    """Mean over j = 1 … depth of (sum of precisions among the first j) / (hits among the first j)."""
    found = np.zeros(len(precisions))
    for row, (precision, place) in enumerate(zip(precisions, places, strict=True)):
        running = np.cumsum(precision) / np.arange(1, len(precision) + 1)
        # The value stands until the next hit, or the end.
        ends = np.minimum(np.append(place, depth), depth)
        found[row] = running @ np.diff(ends) / depth
    return found
