"""Pictures of searches: how far each came, and what quality costs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.spec import COSTS, SearchStudy
from reports.canvas import Format, axes, colours, drawn, entitle, fit, plain_ticks
from reports.search.best import best, best_so_far
from reports.search.reruns import Rerun, reruns
from reports.search.tries import Try, of_arm, searched_arms
from reports.search.words import metric_of, objective_label, shown_value

if TYPE_CHECKING:
    from reports.collect import Records

FAINT = {"s": 14, "alpha": 0.35, "linewidths": 0}


def search_figure(records: Records, study: SearchStudy, kind: Format) -> bytes:
    """The best value so far against the number of the trial, a line an arm; a ring around trial 0."""
    (objective,) = study.search.objective
    kept: list[float] = []
    with axes() as plot:
        for arm, colour in colours(searched_arms(study)).items():
            own = of_arm(records.tries, arm)
            points = [(one.number, *_shown(one, study)) for one in own if one.values is not None]
            plot.scatter(*_columns(points), color=colour, **FAINT)
            line = best_so_far(own, study.search)
            heights = [shown_value(value, objective) for _, value in line]
            plot.step([number for number, _ in line], heights, where="post", color=colour, label=arm)
            first = [point for point in points if point[0] == 0]
            plot.scatter(*_columns(first), s=70, facecolors="none", edgecolors=[colour])
            kept += heights
        plot.set(xlabel="number of the trial in its search", ylabel=objective_label(objective))
        plot.xaxis.get_major_locator().set_params(integer=True)
        remark = fit(plot, _heights(records, study, 0), kept, study.search.directions[0])
        entitle(plot, "line: best so far; dots: complete trials; ring: trial 0", remark)
        return drawn(plot, kind)


def front_figure(records: Records, study: SearchStudy, kind: Format) -> bytes:
    """Quality against cost: all complete trials, each arm's front, and its points under fresh seeds."""
    across, up = _directions(study)
    found = reruns(records)
    kept: list[float] = []
    with axes() as plot:
        for arm, colour in colours(searched_arms(study)).items():
            own = of_arm(records.tries, arm)
            plot.scatter(*_plane(own, study), color=colour, **FAINT)
            front = best(own, study.search)
            _draw_front(plot, front, study, colour, f"{arm}: front")
            again = [one for one in found if one.searched == arm]
            kept += [*_plane(front, study)[1]]
            kept += _draw_again(plot, again, study, colour, f"{arm}: fresh seeds ± sd")
        cost = study.search.objective[across]
        plot.set(xlabel=objective_label(cost), ylabel=objective_label(study.search.objective[up]))
        if _spans_a_decade(records, across):
            plot.set_xscale("log")
            plain_ticks(plot.xaxis)
        remark = fit(plot, _heights(records, study, up), kept, study.search.directions[up])
        entitle(plot, "dots: complete trials of the search", remark)
        return drawn(plot, kind)


def _heights(records: Records, study: SearchStudy, place: int) -> list[float]:
    return [_shown(one, study)[place] for one in records.tries if one.values is not None]


def _spans_a_decade(records: Records, place: int) -> bool:
    values = [one.values[place] for one in records.tries if one.values is not None]
    return bool(values) and max(values) > 10 * min(values) > 0


def _directions(study: SearchStudy) -> tuple[int, int]:
    """Which objectives go across and up: the first cost, or else the second; the first of quality."""
    names = study.search.objective
    up = next(place for place, name in enumerate(names) if name not in COSTS)
    others = [place for place in range(len(names)) if place != up]
    return min(others, key=lambda place: names[place] not in COSTS), up


def _shown(one: Try, study: SearchStudy) -> tuple[float, ...]:
    values = zip(one.values or (), study.search.objective, strict=True)
    return tuple(shown_value(value, name) for value, name in values)


def _plane(tries: Iterable[Try], study: SearchStudy) -> Any:
    across, up = _directions(study)
    points = sorted(_shown(one, study) for one in tries if one.values is not None)
    return _columns([(point[across], point[up]) for point in points])


def _columns(points: list[tuple[float, ...]]) -> Any:
    return np.asarray(points, dtype=np.float64).reshape(-1, 2).T


def _draw_front(plot: Any, front: Iterable[Try], study: SearchStudy, colour: Any, label: str) -> None:
    x, y = _plane(front, study)
    order = np.lexsort((y, x))
    two = len(study.search.objective) == 2
    # Between two points nothing better is known than the worse of them. Of three objectives a picture
    # shows a shadow, which is no line.
    lower = metric_of(study.search.objective[_directions(study)[0]]).direction == "lower"
    plot.step(
        x[order],
        y[order],
        where="post" if lower else "pre",
        color=colour,
        marker="o",
        markersize=4,
        linestyle="-" if two else "none",
        linewidth=1,
        label=label,
    )


def _draw_again(
    plot: Any, found: Iterable[Rerun], study: SearchStudy, colour: Any, label: str
) -> list[float]:
    """Gives the heights that were drawn."""
    across, up = _directions(study)
    known = [one for one in found if one.values[up].n and one.values[across].n]
    if not known:
        return []
    x, y = (
        [shown_value(one.values[place].mean, study.search.objective[place]) for one in known]
        for place in (across, up)
    )
    spread = [shown_value(one.values[up].sd, study.search.objective[up]) for one in known]
    plot.errorbar(
        x,
        y,
        yerr=np.nan_to_num(spread),
        fmt="D",
        markersize=5,
        markerfacecolor="white",
        color=colour,
        capsize=2,
        linewidth=1,
        label=label,
    )
    return y
