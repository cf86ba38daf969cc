"""The curves of all arms in one picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from reports.canvas import Format, axes, colours, entitle, explain, saved
from reports.robustness.crossings import Crossing, meetings
from reports.robustness.curves import Curve, Panel

_FORMATS: tuple[Format, ...] = ("png", "svg")

_BANDS = 8
"""Beyond so many arms, bands of spread hide each other: bars stand in their place."""

_LEVEL = 8
"""Beyond so many crossings their levels are written upright, which needs less room."""

_NAMED = 24
"""Beyond so many, levels at the rings hide each other: they are in the files only."""

_HUES = tuple("0123456789")
"""Colours are used again with another mark, as more of them could not be told apart."""

_THREE_COLUMNS = 28
"""Letters of the longest name beside which two more columns still fit."""

_NEAR = 0.06
"""Share of the axis that a level takes, written beside the next one."""

_MARKS = ("o", "^", "s", "v", "P")
_DASHES = ((0, (5, 2)), (0, (2, 2)), (0, (6, 2, 1, 2)), (0, (1, 1)))
_SINGLE = ("black", "dimgrey", "darkgrey")


def figures(panel: Panel) -> dict[str, bytes]:
    """``robustness_<protocol>_<metric>`` as PNG and SVG."""
    name = f"robustness_{panel.question.name}_{panel.metric.name}"
    wide = len(panel.drawn) > _BANDS
    with axes(8.0 if wide else 6.4, 6.4 if wide else 4.8) as plot:
        for curve, style in _styled(panel):
            _line(plot, panel, curve, style)
        marked = _ring(plot, panel)
        plot.set_xticks(panel.question.levels, panel.question.labels)
        plot.set(xlabel=panel.question.axis, ylabel=f"{panel.metric.label} {panel.metric.arrow}")
        plot.margins(y=0.1)
        entitle(plot, f"mean over seeds, {'bars' if wide else 'bands'}: ± sd", marked)
        longest = max((len(label) for label in plot.get_legend_handles_labels()[1]), default=0)
        explain(plot, 3 if wide and longest <= _THREE_COLUMNS else 2)
        return {f"{name}.{kind}": saved(plot, kind) for kind in _FORMATS}


def _styled(panel: Panel) -> Iterator[tuple[Curve, dict[str, Any]]]:
    """Every line with its looks: black and dashed is an arm of one modality."""
    palette, single, others = colours(_HUES), 0, 0
    for curve in panel.drawn:
        if curve.only:
            yield curve, _single_style(single)
            single += 1
        else:
            hue, mark = _HUES[others % len(_HUES)], _MARKS[others // len(_HUES) % len(_MARKS)]
            looks = {"color": palette[hue], "marker": mark, "markersize": 4, "linewidth": 1.2}
            yield curve, looks
            others += 1


def _single_style(place: int) -> dict[str, Any]:
    return {
        "color": _SINGLE[place % len(_SINGLE)],
        "linestyle": _DASHES[place % len(_DASHES)],
        "marker": "D",
        "markerfacecolor": "white",
        "markersize": 5,
        "linewidth": 2,
        "zorder": 3,
    }


def _line(plot: Any, panel: Panel, curve: Curve, style: dict[str, Any]) -> None:
    label = f"{curve.arm} ({curve.only} only)" if curve.only else curve.arm
    label += ", does not move" if curve.stands else ""
    levels, means = panel.question.levels, curve.means
    plot.plot(levels, means, label=label, **style)
    spread = np.nan_to_num([one.sd for one in curve.summaries])
    if len(panel.drawn) > _BANDS:
        plot.errorbar(
            levels, means, yerr=spread, fmt="none", ecolor=style["color"], elinewidth=0.8, alpha=0.5
        )
    else:
        ends = (means - spread, means + spread)
        plot.fill_between(levels, *ends, color=style["color"], alpha=0.15, linewidth=0)


def _ring(plot: Any, panel: Panel) -> str:
    """A ring around each crossing of several modalities with one, and its level; gives a remark."""
    by_single = _by_single(panel)
    found = [one for crossings in by_single for one in crossings]
    if not found:
        return ""
    points = np.asarray([(one.level, one.value) for one in found])
    plot.scatter(*points.T, s=60, facecolors="none", edgecolors="black", linewidths=1, zorder=4)
    if len(found) > _NAMED:
        return "rings: crossings with an arm of one modality; their levels are in robustness.md"
    upright = len(found) > _LEVEL or _are_close(by_single, panel)
    for line, crossings in enumerate(by_single):
        for place, one in enumerate(crossings):
            # Of several lines the lowest has its levels below it, the others above.
            up = place % 2 if len(by_single) == 1 else line > 0
            further = place // 2 % 2 if len(by_single) == 1 else place % 2
            _write(plot, one, 1 if up else -1, further, upright=upright)
    return "rings: crossings with an arm of one modality, and their levels"


def _are_close(lines: list[list[Crossing]], panel: Panel) -> bool:
    """Whether levels of one line, written side by side, would run into each other."""
    room = _NEAR * (panel.question.levels[-1] - panel.question.levels[0])
    return any(after.level - before.level < room for line in lines for before, after in pairwise(line))


def _by_single(panel: Panel) -> list[list[Crossing]]:
    """The crossings on the line of each arm of one modality by level; the lowest line first."""
    multimodal = {curve.arm for curve in panel.drawn if not curve.only}
    found: dict[str, list[Crossing]] = {}
    for one in meetings(panel):
        if one.arm in multimodal and one.crossings:
            found.setdefault(one.single, []).extend(one.crossings)
    lines = [sorted(crossings, key=lambda one: one.level) for crossings in found.values()]
    return sorted(lines, key=lambda line: float(np.mean([one.value for one in line])))


def _write(plot: Any, one: Crossing, side: int, further: int, *, upright: bool) -> None:
    plot.annotate(
        f"{one.level:.2g}",
        (one.level, one.value),
        textcoords="offset points",
        xytext=(0, side * ((15 if upright else 12) + (22 if upright else 11) * further)),
        ha="center",
        va="center",
        fontsize="x-small" if upright else "small",
        rotation=90 if upright else 0,
        zorder=5,
        bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7},
    )
