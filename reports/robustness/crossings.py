"""Where the line of an arm crosses that of an arm that reads one modality only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from reports.robustness.curves import Curve, Panel
from reports.statistics import Floats


@dataclass(frozen=True)
class Crossing:
    """A point that two lines share; from there on the one-modality arm is the better or the worse."""

    level: float
    value: float
    single_gains: bool


@dataclass(frozen=True)
class Meeting:
    """An arm beside an arm of one modality: where the latter is better, in points and in words.

    On seed means, by straight lines between measured levels. Subsets have words only.
    """

    arm: str
    single: str
    crossings: tuple[Crossing, ...]
    words: str


def meetings(panel: Panel) -> tuple[Meeting, ...]:
    """Every arm with numbers beside every other one that reads one modality."""
    return tuple(
        _meeting(panel, curve, single)
        for single in panel.single
        for curve in panel.drawn
        if curve.arm != single.arm
    )


def _meeting(panel: Panel, curve: Curve, single: Curve) -> Meeting:
    ahead = panel.sign * (single.means - curve.means)
    known = ~np.isnan(ahead)
    levels = np.asarray(panel.question.levels, dtype=np.float64)[known]
    crossings: tuple[Crossing, ...] = ()
    if panel.question.has_levels:
        crossings = tuple(_crossings(levels, ahead[known], single.means[known]))
        words = _better(ahead[known], crossings)
    else:
        labels = [label for label, gain in zip(panel.question.labels, ahead, strict=True) if gain > 0]
        words = _simply(ahead[known]) or f"with {', '.join(labels)}"
    lost = [label for label, one in zip(panel.question.labels, known, strict=True) if not one]
    undefined = f" (undefined at {', '.join(lost)})" if lost and known.any() else ""
    return Meeting(curve.arm, single.arm, crossings, words + undefined)


def _crossings(levels: Floats, ahead: Floats, line: Floats) -> list[Crossing]:
    """Where `ahead` changes its sign; a stretch on which the lines are one counts at its start."""
    found = []
    for one, other in pairwise(np.flatnonzero(ahead)):
        if ahead[one] * ahead[other] > 0:
            continue
        share = ahead[one] / (ahead[one] - ahead[one + 1])
        level, value = (along[one] + share * (along[one + 1] - along[one]) for along in (levels, line))
        found.append(Crossing(float(level), float(value), bool(ahead[other] > 0)))
    return found


def _better(ahead: Floats, crossings: tuple[Crossing, ...]) -> str:
    """``from 0.35``, ``up to 0.2, from 0.7``."""
    if not crossings:
        return _simply(ahead)
    said = []
    if not crossings[0].single_gains:
        said.append(f"up to {crossings[0].level:.3g}")
    starts = [place for place, one in enumerate(crossings) if one.single_gains]
    for place in starts:
        ends = crossings[place + 1 : place + 2]
        end = f" to {ends[0].level:.3g}" if ends else ""
        said.append(f"from {crossings[place].level:.3g}{end}")
    return ", ".join(said)


def _simply(ahead: Floats) -> str:
    """One word for lines that do not cross; none for others."""
    if not len(ahead):
        return "at no defined level"
    if not ahead.any():
        return "never (equal)"
    if (ahead >= 0).all():
        return "everywhere"
    return "never" if (ahead <= 0).all() else ""
