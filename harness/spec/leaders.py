"""The best of a search so far: one trial, or the front of several objectives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.spec.metric import METRICS
from harness.spec.result import TrialResult

Values = tuple[float, ...]


def objective_value(result: TrialResult, objective: str) -> float | None:
    """What a search looks at: a metric on validation, the number of parameters, or milliseconds."""
    cost = result.efficiency
    if objective == "parameters":
        return None if cost is None else float(cost.parameters)
    if objective == "latency_ms":
        return None if cost is None else cost.latency.median_ms
    return result.metrics.get(objective)


def objective_values(result: TrialResult, objectives: Sequence[str]) -> Values | None:
    """What the search looks at, an objective each; None of a trial without all of them as numbers."""
    found = [objective_value(result, name) for name in objectives]
    numbers = tuple(value for value in found if value is not None and math.isfinite(value))
    return numbers if result.state == "complete" and len(numbers) == len(found) else None


def leaders(points: Mapping[int, Values], objectives: Sequence[str]) -> tuple[int, ...]:
    """The numbers that no other point is better than, in order; of one objective the first of the best.

    A point is better than another if it is as good in every objective and better in one.
    """
    costs = {number: _costs(values, objectives) for number, values in sorted(points.items())}
    if len(objectives) == 1:
        return (min(costs, key=lambda number: costs[number]),) if costs else ()
    return tuple(
        number
        for number, cost in costs.items()
        if not any(_dominates(other, cost) for other in costs.values())
    )


def _costs(values: Values, objectives: Sequence[str]) -> Values:
    lower = (METRICS[name.removeprefix("val/")].direction == "lower" for name in objectives)
    return tuple(value if down else -value for value, down in zip(values, lower, strict=True))


def _dominates(one: Values, other: Values) -> bool:
    return one != other and all(mine <= yours for mine, yours in zip(one, other, strict=True))
