"""Which trials of an arm's search are the best so far: one, or a Pareto front."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.spec import SearchSettings
from harness.spec.leaders import leaders
from reports.search.tries import Try


def best(tries: Iterable[Try], search: SearchSettings) -> tuple[Try, ...]:
    """Of one arm's trials those that no other one beats, by number; none while none is complete.

    With one objective that is the first of the best. On a front equal points stand side by side.
    """
    complete = {one.number: one for one in tries if one.values is not None}
    points = {number: one.values for number, one in complete.items() if one.values is not None}
    return tuple(complete[number] for number in leaders(points, search.objective))


def best_so_far(tries: Sequence[Try], search: SearchSettings) -> list[tuple[int, float]]:
    """The best first objective after every number, from the first complete trial on."""
    lower = search.directions[0] == "lower"
    found: list[tuple[int, float]] = []
    for one in tries:
        values = [value for _, value in found[-1:]]
        values += [one.values[0]] if one.values is not None else []
        if values:
            found.append((one.number, min(values) if lower else max(values)))
    return found
