"""Parameters, values and counts of a search in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.spec import COSTS, METRICS, MetricSpec
from reports.search.tries import Try, proposed, states


def metric_of(objective: str) -> MetricSpec:
    """Label, direction and digits of what an objective looks at."""
    return METRICS[objective.removeprefix("val/")]


def objective_label(objective: str) -> str:
    """``val MAE ↓``, or ``Latency ↓ (ms)``; parameters are shown in millions."""
    metric = metric_of(objective)
    unit = f" ({metric.unit})" if metric.unit else ""
    return f"{'' if objective in COSTS else 'val '}{metric.label} {metric.arrow}{unit}"


def shown_value(value: float, objective: str) -> float:
    """The value in the unit of its label."""
    return value / 1e6 if objective == "parameters" else value


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """From a dotted path to its shortest end that no other path has; a loss's name stays with it."""
    ends = {path: _ends(path) for path in paths}
    often = Counter(end for found in ends.values() for end in found)
    return {path: next((end for end in found if often[end] == 1), path) for path, found in ends.items()}


def paths_of(tries: Iterable[Try]) -> tuple[str, ...]:
    """Every parameter that some trial has a value of, sorted."""
    return tuple(sorted({path for one in tries for path in one.params}))


def parameter(value: Any) -> str:
    """A parameter's value as YAML reads it; numbers rounded for a reader."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def parameters(params: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """``width 64, dropout 0.1``."""
    return ", ".join(f"{names[path]} {parameter(params[path])}" for path in sorted(params))


def counted(tries: Sequence[Try]) -> str:
    """``30 trials: 20 complete, 8 pruned, 2 failed``."""
    found = states(tries)
    said = ", ".join(
        f"{found[state]} {'without a result yet' if state == 'missing' else state}"
        for state in ("complete", "pruned", "failed", "missing")
        if found[state]
    )
    words = f"{len(tries)} {'trial' if len(tries) == 1 else 'trials'}" + (f": {said}" if said else "")
    void = proposed(tries) - len(tries)
    return f"{words}; {void} more proposed, whose values make none" if void else words


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _ends(path: str) -> list[str]:
    parts = path.split(".")
    fewest = 2 if "losses" in parts else 1
    return [".".join(parts[-count:]) for count in range(fewest, len(parts) + 1)]
