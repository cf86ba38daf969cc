"""Which trials of an arm's search are the best so far: one, or a Pareto front."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.spec import SearchSettings
from reports.search.tries import Try

Costs = tuple[float, ...]


def best(tries: Iterable[Try], search: SearchSettings) -> tuple[Try, ...]:
    """Of one arm's trials those that no other one beats, by number; none while none is complete.

    With one objective that is the first of the best. On a front equal points stand side by side.
    """
    found = [(_costs(one.values, search), one) for one in tries if one.values is not None]
    # In this order whatever beats a point comes before it.
    found.sort(key=lambda item: (item[0], item[1].number))
    if len(search.objective) == 1:
        return tuple(one for _, one in found[:1])
    front: list[tuple[Costs, Try]] = []
    for cost, one in found:
        if not any(_beats(other, cost) for other, _ in front):
            front.append((cost, one))
    return tuple(sorted((one for _, one in front), key=lambda one: one.number))


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


def _costs(values: tuple[float, ...], search: SearchSettings) -> Costs:
    ways = zip(values, search.directions, strict=True)
    return tuple(value if direction == "lower" else -value for value, direction in ways)


def _beats(one: Costs, other: Costs) -> bool:
    return one != other and all(mine <= yours for mine, yours in zip(one, other, strict=True))
