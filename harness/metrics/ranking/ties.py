"""Average precision expected when every order of tied items is equally likely, without drawing any.

A tie of t items, r of them relevant, after s items with h hits: the item at its position i (from 0) is
relevant with probability r / t, and then i (r - 1) / (t - 1) of the i items before it in the tie are
expected to be, so that the position adds

    (r / t) (h + 1 + i (r - 1) / (t - 1)) / (s + i + 1)

to the expected sum of precisions. A denominator that counts hits down to a depth is random itself where
the depth cuts a tie: there the expectation runs over how many hits c items of the tie hold, which is
hypergeometric.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.metrics.ranking.order import SHIFT
from harness.metrics.ranking.precision import denominators
from harness.metrics.ranking.scores import Index, Values
from harness.metrics.retrieval_protocols import RetrievalRules

LARGEST_TABLE = 1 << 20


@dataclass(frozen=True)
class Ties:
    """The ties of one ranking, in its order; an item that is tied with none is a tie of its own.

    Attributes:
        sizes: (g,) t.
        relevant: (g,) r.
        before: (g,) s.
        hits: (g,) h.
    """

    sizes: Index
    relevant: Index
    before: Index
    hits: Index

    @classmethod
    def of(cls, keys: Index) -> Ties:
        """The ties of a ranking's sorted keys (G,)."""
        scores = keys >> SHIFT
        before = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
        relevant = np.add.reduceat(keys & 1, before)
        return cls(
            np.diff(np.append(before, len(keys))), relevant, before, np.cumsum(relevant) - relevant
        )

    def sums(self) -> Values:
        """(G + 1,) expected sum of precisions among the first 0, 1, … items."""
        t, r, s, h = (np.repeat(each, self.sizes) for each in self._columns())
        place = np.arange(len(t))
        pairs = (r - 1) / np.maximum(t - 1, 1)
        added = r / t * (h + 1 + (place - s) * pairs) / (place + 1)
        return np.append(0.0, np.cumsum(added))

    def over_hits(self, first: int, last: int) -> Values:
        """(last - first + 1,) expected sum of precisions over hits, for the depths `first` … `last`."""
        sums, depths = self.sums(), np.arange(first, last + 1)
        # Exact where the depth ends a tie, or cuts one whose items are all of one kind.
        per_item = np.repeat(self.relevant / self.sizes, self.sizes)
        hits = np.append(0, np.cumsum(per_item))
        found = sums[depths] / np.maximum(np.rint(hits[depths]), 1)
        is_mixed = (self.relevant > 0) & (self.relevant < self.sizes)
        is_cut = (self.before + 1 <= last) & (self.before + self.sizes - 1 >= first)
        for tie in zip(*(each[is_mixed & is_cut].tolist() for each in self._columns()), strict=True):
            size, _, before, _ = tie
            low, high = max(first - before, 1), min(last - before, size - 1)
            factor, offset = _cut(tie, low, high)
            found[before + low - first : before + high - first + 1] = sums[before] * factor + offset
        return found

    def _columns(self) -> tuple[Index, Index, Index, Index]:
        return self.sizes, self.relevant, self.before, self.hits


def expected_ap(keys: Index, rules: RetrievalRules, depth: int) -> float:
    """AP of one ranking's sorted keys (G,), expected over all orders of tied items."""
    ties = Ties.of(keys)
    if rules.is_prefix_averaged:
        return float(ties.over_hits(1, depth).mean())
    if rules.denominator == "hits":
        return float(ties.over_hits(depth, depth)[0])
    relevant = ties.relevant.sum(keepdims=True)
    return float(ties.sums()[depth] / denominators(relevant, relevant, rules, depth)[0])


@lru_cache(maxsize=4096)
def _cut(tie: tuple[int, ...], low: int, high: int) -> tuple[Values, Values]:
    """Expectations of 1 / hits and of (precisions in the tie) / hits after `low` … `high` of its items.

    Rankings of one class of a collapsed model share their ties, hence the cache.
    """
    step = max(LARGEST_TABLE // (tie[1] + 1), 1)
    parts = [
        _cut_at(np.arange(start, min(start + step, high + 1)), tie)
        for start in range(low, high + 1, step)
    ]
    factors, offsets = zip(*parts, strict=True)
    return np.concatenate(factors), np.concatenate(offsets)


def _cut_at(taken: Index, tie: tuple[int, ...]) -> tuple[Values, Values]:
    """The same for each number of `taken` items (c,), by the number of hits among them."""
    t, r, s, h = tie
    taken, drawn = taken[:, None], np.arange(r + 1)[None]
    chance = _hypergeometric(drawn, t, r, taken)
    with np.errstate(divide="ignore"):
        inverse = np.where(h + drawn > 0, 1 / (h + drawn), 0)
    position = np.arange(taken.max())
    ones = np.append(0, np.cumsum(1 / (s + position + 1)))[taken]
    steps = np.append(0, np.cumsum(position / (s + position + 1)))[taken]
    inside = drawn / taken * ((h + 1) * ones + (drawn - 1) / np.maximum(taken - 1, 1) * steps)
    return (chance * inverse).sum(1), (chance * inverse * inside).sum(1)


def _hypergeometric(drawn: Index, t: int, r: int, taken: Index) -> Values:
    """(c, r + 1) probability that `taken` of t items hold `drawn` of the r relevant ones."""
    from scipy.special import gammaln

    def ways(n: Index | int, k: Index) -> Values:
        with np.errstate(invalid="ignore"):
            found = gammaln(np.add(n, 1)) - gammaln(k + 1) - gammaln(np.subtract(n, k) + 1)
        return np.where((k >= 0) & (k <= n), found, -np.inf)

    chance = np.exp(ways(r, drawn) + ways(t - r, taken - drawn) - ways(t, taken))
    return np.asarray(chance / chance.sum(1, keepdims=True))
