"""Which points of a Pareto front are run again when not all of them can be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.spec import METRICS
from harness.spec.leaders import Values


def finalists(points: Mapping[int, Values], objectives: Sequence[str], count: int | None) -> list[int]:
    """The numbers of at most `count` points of a front that cover it best, in order.

    Points leave one by one, each time the one with the least crowding distance (Deb et al. 2002,
    NSGA-II, section III-B): how far apart its neighbours are, summed over the objectives, each in
    units of the front's range. The ends of the front have no neighbour on one side and leave last;
    of equals the one that is worse in the first objective leaves, then the later. Points with the
    same values are one point.
    """
    kept = _different(points)
    while count is not None and len(kept) > count:
        crowding = _crowding(kept)
        kept.pop(min(kept, key=lambda number: (crowding[number], *_merit(number, kept, objectives))))
    return sorted(kept)


def _different(points: Mapping[int, Values]) -> dict[int, Values]:
    first: dict[Values, int] = {}
    for number in sorted(points):
        first.setdefault(points[number], number)
    return {number: values for values, number in first.items()}


def _merit(number: int, points: Mapping[int, Values], objectives: Sequence[str]) -> tuple[float, int]:
    """Lower for the point to leave first."""
    lower = METRICS[objectives[0].removeprefix("val/")].direction == "lower"
    value = points[number][0]
    return -value if lower else value, -number


def _crowding(points: Mapping[int, Values]) -> dict[int, float]:
    distance = dict.fromkeys(points, 0.0)
    for axis in range(len(next(iter(points.values())))):
        order = sorted(points, key=lambda number: (points[number][axis], number))
        reach = points[order[-1]][axis] - points[order[0]][axis]
        distance[order[0]] = distance[order[-1]] = math.inf
        for below, number, above in zip(order, order[1:], order[2:], strict=False):
            if reach > 0:
                distance[number] += (points[above][axis] - points[below][axis]) / reach
    return distance
