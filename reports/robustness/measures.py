"""How well an arm stands a protocol, in one number: area, relative and effective robustness.

Relative and effective robustness are those of MultiBench (Liang et al. 2021, arXiv 2107.07502, and its
`eval_scripts/robustness.py`); the latter is what Taori et al. 2020 (arXiv 2007.00644) call so, with the
line of a late fusion, moved to the same start, for what is expected of an arm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reports.robustness.curves import Panel
from reports.robustness.questions import Question
from reports.statistics import Floats, SeedSummary, seed_summary


@dataclass(frozen=True)
class Measures:
    """One arm in one panel; NaN is what is not defined.

    Attributes:
        area: under its curve, over the length of the axis: in the metric's own unit, over seeds.
        relative: the area scaled so that the best arm of the panel has 1 and the worst 0.
        effective: sum over the conditions of what it is better than the baseline's curve, moved to
            the same start; positive is better in every metric, of seed means.
        effective_scaled: the same, scaled like `relative`.
    """

    area: SeedSummary
    relative: float
    effective: float
    effective_scaled: float


def measures(panel: Panel, baseline: str | None) -> dict[str, Measures]:
    """Of every arm that has numbers; `baseline` names the one that effective robustness is about."""
    areas = {
        curve.arm: seed_summary(area(panel.question, seed) for seed in curve.seeds)
        for curve in panel.drawn
    }
    means = {curve.arm: curve.means for curve in panel.drawn}
    base = means.get(baseline) if baseline is not None else None
    gains = {
        arm: math.nan if base is None else effective(panel.sign * line, panel.sign * base)
        for arm, line in means.items()
    }
    relative = scaled({arm: panel.sign * found.mean for arm, found in areas.items()})
    even = scaled(gains)
    return {arm: Measures(areas[arm], relative[arm], gains[arm], even[arm]) for arm in areas}


def area(question: Question, values: Floats) -> float:
    """Trapezoids over the levels, divided by the axis' length; without levels the plain mean."""
    if not question.has_levels:
        return float(values.mean())
    levels = np.asarray(question.levels, dtype=np.float64)
    return float(np.trapezoid(values, levels) / (levels[-1] - levels[0]))


def effective(values: Floats, baseline: Floats) -> float:
    """Σ f(σ) - (b(σ) + f(0) - b(0)) over all conditions σ."""
    return float((values - (baseline + values[0] - baseline[0])).sum())


def scaled(found: Mapping[str, float]) -> dict[str, float]:
    """The values between 0 and 1, the highest at 1; NaN for all where no two of them differ."""
    defined = [value for value in found.values() if not math.isnan(value)]
    low, high = (min(defined), max(defined)) if defined else (math.nan, math.nan)
    span = high - low
    return {arm: (value - low) / span if span else math.nan for arm, value in found.items()}
