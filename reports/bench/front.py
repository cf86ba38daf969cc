"""Quality against what it costs, end to end."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Any, get_args

from harness.spec.trial import Role
from reports.bench.found import Bench, Place
from reports.bench.panels import legend_below, panels
from reports.bench.tables import quality_heading, quality_metric
from reports.canvas import colours, entitle, plain_ticks, saved

_PLACE = Place("end_to_end", 1)

_AROUND = (
    (6, 6, "left", "bottom"),
    (6, -6, "left", "top"),
    (-6, 6, "right", "bottom"),
    (-6, -6, "right", "top"),
    (9, 0, "left", "center"),
    (-9, 0, "right", "center"),
    (0, 10, "center", "bottom"),
    (0, -10, "center", "top"),
    (14, 18, "left", "bottom"),
    (14, -18, "left", "top"),
    (-14, 18, "right", "bottom"),
    (-14, -18, "right", "top"),
    (22, 34, "left", "bottom"),
    (22, -34, "left", "top"),
    (-22, 34, "right", "bottom"),
    (-22, -34, "right", "top"),
)
"""Where a name may stand beside its point, in points of print; the first free place is taken."""


_FAR = 18
"""From so many points of print a thin line leads to the name."""

_HIDES = 6
"""Closer than so many pixels words touch a point."""

_LEADER = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}


@dataclass(frozen=True)
class Point:
    """A row: its median ms and its quality."""

    name: str
    role: Role
    ms: float
    quality: float


def points(bench: Bench) -> list[Point]:
    """Rows with both, from the fastest to the slowest."""
    primary = bench.record.primary
    found = [
        Point(row.name, row.role, median, row.quality[primary])
        for row in bench.record.rows
        if primary in row.quality and (median := bench.median(row, _PLACE)) is not None
    ]
    return sorted(found, key=lambda one: one.ms)


def front(found: list[Point], *, lower_is_better: bool) -> list[Point]:
    """Points that no other beats in one of the two without losing in the other; fastest first."""
    sign = 1 if lower_is_better else -1

    def is_beaten(one: Point) -> bool:
        return any(
            other.ms <= one.ms
            and sign * other.quality <= sign * one.quality
            and (other.ms, other.quality) != (one.ms, one.quality)
            for other in found
        )

    return sorted((one for one in found if not is_beaten(one)), key=lambda one: one.ms)


def quality_figure(bench: Bench) -> bytes:
    """Quality against median ms at one clip a call; filled and joined is what nothing beats."""
    found = points(bench)
    _, metric = quality_metric(bench.record)
    best = front(found, lower_is_better=metric.direction == "lower")
    with panels(7.6, 5.2, 1) as plots:
        (plot,) = plots
        plot.set_xscale("log")
        plot.step(
            [one.ms for one in best],
            [one.quality for one in best],
            where="post",
            color="0.55",
            linewidth=1,
            zorder=1,
            label="Pareto front",
        )
        _scatter(plot, found, best)
        plot.margins(0.12)
        plot.set(
            xlabel="median latency end to end, one clip a call ↓ (ms)",
            ylabel=quality_heading(bench.record),
        )
        plain_ticks(plot.xaxis)
        entitle(plot, "filled: on the Pareto front; hollow: another row is at least as fast and as good")
        legend_below(plots)
        _name(plot, found)
        return saved(plot, "png")


def no_quality_figure(bench: Bench) -> str:
    """Why there is none; empty if there is one."""
    if not bench.has_quality:
        return "no row has a quality, and latency alone says nothing of one"
    return "" if points(bench) else "no row with a quality was timed end to end at one clip a call"


def _scatter(plot: Any, found: list[Point], best: list[Point]) -> None:
    roles: tuple[Role, ...] = get_args(Role)
    for (role, colour), mark in zip(colours(roles).items(), "sod", strict=True):
        own = [one for one in found if one.role == role]
        if own:
            plot.scatter(
                [one.ms for one in own],
                [one.quality for one in own],
                s=42,
                marker=mark,
                facecolors=[colour if one in best else "white" for one in own],
                edgecolors=[colour],
                linewidths=1.4,
                label=role,
                zorder=3,
            )


def _name(plot: Any, found: list[Point]) -> None:
    """Names beside their points, where they hide neither another name nor a point."""
    plot.figure.draw_without_rendering()
    spots = plot.transData.transform([(one.ms, one.quality) for one in found])
    taken: list[Any] = []
    for one, spot in zip(found, spots, strict=True):
        others = [other for other in spots if tuple(other) != tuple(spot)]
        tried = [_written(plot, one, around) for around in _AROUND]
        boxes = [_box(words) for words in tried]
        # A name without a line to its point is read as that of the nearest.
        reaches = [
            _HIDES if words.arrow_patch else max(_HIDES, _distance(box, spot))
            for words, box in zip(tried, boxes, strict=True)
        ]
        faults = [
            _faults(box, taken, [_distance(box, other) <= reach for other in others])
            + 2 * _leaves(box, plot.bbox)
            for box, reach in zip(boxes, reaches, strict=True)
        ]
        chosen = faults.index(min(faults))
        taken.append(boxes[chosen])
        for place, words in enumerate(tried):
            if place != chosen:
                words.remove()


def _written(plot: Any, one: Point, around: tuple[int, int, str, str]) -> Any:
    from matplotlib.patheffects import withStroke

    across, up, horizontal, vertical = around
    return plot.annotate(
        one.name,
        (one.ms, one.quality),
        textcoords="offset points",
        xytext=(across, up),
        ha=horizontal,
        va=vertical,
        fontsize="small",
        zorder=4,
        arrowprops=_LEADER if abs(up) >= _FAR else None,
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )


def _box(words: Any) -> Any:
    """What the words cover, and a little around them, without the line to their point."""
    from matplotlib.text import Text

    # The extent of an annotation puts its words in place, and has that line in it.
    words.get_window_extent()
    return Text.get_window_extent(words).padded(2)


def _faults(box: Any, taken: list[Any], near: list[bool]) -> int:
    """How many names and points the words hide, or could be taken for."""
    return sum(bool(box.overlaps(other)) for other in taken) + sum(near)


def _leaves(box: Any, frame: Any) -> bool:
    return bool(box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1)


def _distance(box: Any, spot: Any) -> float:
    """From the words to a point, 0 within them."""
    across = max(box.x0 - spot[0], 0.0, spot[0] - box.x1)
    return hypot(across, max(box.y0 - spot[1], 0.0, spot[1] - box.y1))
