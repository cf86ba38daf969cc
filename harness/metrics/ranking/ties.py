"""Average precision expected when every order of tied items is equally likely, without drawing any.

A tie of t items, r of them relevant, after s items with h hits: the item at rank j (s < j <= s + t) is
relevant with probability r / t, and then (j - s - 1) (r - 1) / (t - 1) of the tied items before it are
expected to be, so that the rank adds

    (r / t) (h + 1 + (j - s - 1) (r - 1) / (t - 1)) / j  =  slope + level / j

to the expected sum of precisions. A denominator that counts hits down to a depth is random itself where
the depth cuts a tie: there the expectation runs over how many hits the part above the cut holds, which
is hypergeometric.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from harness.metrics.ranking.order import SHIFT
from harness.metrics.ranking.precision import denominators
from harness.metrics.ranking.scores import Index, Values
from harness.metrics.retrieval_protocols import RetrievalRules

LARGEST_TABLE = 1 << 20


@dataclass(frozen=True)
class Ties:
    """The ties of one ranking down to a depth; an item that is tied with none is a tie of its own.

    Attributes:
        sizes: (g,) t.
        relevant: (g,) r.
        before: (g,) s, below the depth.
        hits: (g,) h.
        depth: how many ranks count; the last tie may reach beyond.
    """

    sizes: Index
    relevant: Index
    before: Index
    hits: Index
    depth: int

    @classmethod
    def of(cls, keys: Index, depth: int) -> Ties:
        """The ties of a ranking's sorted keys (G,)."""
        scores = keys >> SHIFT
        before = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
        relevant, sizes = np.add.reduceat(keys & 1, before), np.diff(np.append(before, len(keys)))
        counted = np.searchsorted(before, depth)
        hits = np.cumsum(relevant) - relevant
        return cls(sizes[:counted], relevant[:counted], before[:counted], hits[:counted], depth)

    def lines(self) -> tuple[Values, Values]:
        """(g,) slope and level of what the ranks of a tie add."""
        chance = self.relevant / self.sizes
        slope = chance * (self.relevant - 1) / np.maximum(self.sizes - 1, 1)
        return slope, chance * (self.hits + 1) - slope * (self.before + 1)

    def totals(self) -> Values:
        """(g,) what the ties are expected to add to the sum of precisions, above the depth."""
        slope, level = self.lines()
        inverse = np.add.reduceat(1 / np.arange(1, self.depth + 1), self.before)
        return np.asarray(slope * self.above() + level * inverse)

    def above(self) -> Index:
        """(g,) how many items of each tie are above the depth."""
        return np.minimum(self.sizes, self.depth - self.before)

    def is_mixed(self) -> NDArray[np.bool_]:
        """(g,) whether relevant items are tied with others."""
        return (self.relevant > 0) & (self.relevant < self.sizes)


def expected_ap(keys: Index, rules: RetrievalRules, depth: int) -> float:
    """AP of one ranking's sorted keys (G,), expected over all orders of tied items."""
    ties = Ties.of(keys, depth)
    if rules.is_prefix_averaged:
        return _over_prefixes(ties)
    if rules.denominator == "hits":
        return _over_hits(ties)
    relevant = (keys & 1).sum(keepdims=True)
    return float(ties.totals().sum() / denominators(relevant, relevant, rules, depth)[0])


def _over_hits(ties: Ties) -> float:
    totals, above = ties.totals(), ties.above()
    if ties.is_mixed()[-1] and above[-1] < ties.sizes[-1]:
        factor, offset = _cut(_numbers(ties)[-1], int(above[-1]), int(above[-1]))
        return float(totals[:-1].sum() * factor[0] + offset[0])
    hits = ties.hits[-1] + min(above[-1], ties.relevant[-1])
    return float(totals.sum() / max(hits, 1))


def _over_prefixes(ties: Ties) -> float:
    """Mean over the depths 1, 2, … of the expectation at that depth."""
    above, totals, rank = ties.above(), ties.totals(), np.arange(1, ties.depth + 1)
    slope, level, h, r = (np.repeat(each, above) for each in (*ties.lines(), ties.hits, ties.relevant))
    inside = rank - np.repeat(ties.before, above)
    found = np.cumsum(slope + level / rank) / np.maximum(h + np.minimum(inside, r), 1)
    # That is exact where a depth ends a tie, or cuts one whose items are all of one kind.
    earlier = np.cumsum(totals) - totals
    numbers = _numbers(ties)
    for place in np.flatnonzero(ties.is_mixed()):
        before, last = ties.before[place], min(above[place], ties.sizes[place] - 1)
        factor, offset = _cut(numbers[place], 1, int(last))
        found[before : before + last] = earlier[place] * factor + offset
    return float(found.mean())


def _numbers(ties: Ties) -> list[tuple[int, ...]]:
    columns = (ties.sizes, ties.relevant, ties.before, ties.hits)
    return list(zip(*(each.tolist() for each in columns), strict=True))


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
    # Where there is no hit there is nothing to sum either.
    share = _hypergeometric(drawn, t, r, taken) / np.maximum(h + drawn, 1) * (h + drawn > 0)
    place = np.arange(taken.max())
    inverse = np.append(0, np.cumsum(1 / (s + place + 1)))[taken]
    rising = np.append(0, np.cumsum(place / (s + place + 1)))[taken]
    inside = drawn / taken * ((h + 1) * inverse + (drawn - 1) / np.maximum(taken - 1, 1) * rising)
    return share.sum(1), (share * inside).sum(1)


def _hypergeometric(drawn: Index, t: int, r: int, taken: Index) -> Values:
    """(c, r + 1) probability that `taken` of t items hold `drawn` of the r relevant ones."""
    log = _log_factorials(t)

    def ways(n: int, k: Index) -> Values:
        return np.asarray(log[n] - log[k.clip(0, n)] - log[(n - k).clip(0, n)])

    is_possible = (drawn <= taken) & (taken - drawn <= t - r)
    chance = np.exp(ways(r, drawn) + ways(t - r, taken - drawn) - ways(t, taken)) * is_possible
    return np.asarray(chance / chance.sum(1, keepdims=True))


@lru_cache(maxsize=64)
def _log_factorials(n: int) -> Values:
    """(n + 1,) log 0!, log 1!, … log n!."""
    return np.append(0, np.cumsum(np.log(np.arange(1, n + 1))))
