"""Milliseconds against the size of a batch, and against the length of a clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.bench.found import Bench, Place
from reports.bench.panels import drawn_places, legend_below, looks, panels
from reports.bench.tables import ROUTES
from reports.canvas import plain_ticks, saved

Points = tuple[list[float], list[float]]


def batch_figure(bench: Bench) -> bytes:
    """Median ms a clip against clips a call, a line a row, a plot a route."""
    places = drawn_places(bench)
    batches = sorted(bench.record.settings.batches)
    with panels(9.6, _height(bench), len(places), sharey=True) as plots:
        for plot, place in zip(plots, places, strict=True):
            _lines(plot, bench, _by_batch(bench, place))
            plot.set_xscale("log", base=2)
            plot.set_xticks(batches, [str(batch) for batch in batches], minor=False)
            plot.set(xlabel="clips a call", title=ROUTES[place.route])
        _finish(plots, "median ms a clip")
        return saved(plots[0], "png")


def no_batch_figure(bench: Bench) -> str:
    """Why there is none; empty if there is one."""
    few = len({place.batch for place, found in bench.found.items() if found}) < 2
    return "one batch size was timed, which makes no line" if few else ""


def length_figure(bench: Bench) -> bytes:
    """Median ms at one clip a call against the clip's length, a line a row, a plot a route."""
    places = drawn_places(bench, batch=1)
    with panels(9.6, _height(bench), len(places), sharey=True) as plots:
        for plot, place in zip(plots, places, strict=True):
            _lines(plot, bench, _by_length(bench, place))
            plot.set(xlabel="length of the clip (s)", title=ROUTES[place.route])
        _finish(plots, "median ms")
        return saved(plots[0], "png")


def no_length_figure(bench: Bench) -> str:
    """Why there is none; empty if there is one."""
    if not drawn_places(bench, batch=1):
        return "nothing was timed at one clip a call"
    lengths = {clip.seconds for clip in bench.record.clips if clip.seconds is not None}
    return "no two clips are known to differ in length" if len(lengths) < 2 else ""


def _by_batch(bench: Bench, at: Place) -> dict[str, Points]:
    lines: dict[str, Points] = {}
    for place, found in bench.found.items():
        if place.route == at.route:
            for name, one in found.items():
                x, y = lines.setdefault(name, ([], []))
                x.append(place.batch)
                y.append(one.times.median / place.batch)
    return lines


def _by_length(bench: Bench, place: Place) -> dict[str, Points]:
    """Clips of one length are one point."""
    seconds = {number: clip.seconds for number, clip in enumerate(bench.record.clips)}
    samples = bench.of(place)
    samples = samples.assign(seconds=samples["group"].map(seconds)).dropna(subset="seconds")
    medians = samples.groupby(["row", "seconds"])["total_ms"].median()
    return {
        str(name): (list(own.index.get_level_values("seconds")), list(own))
        for name, own in medians.groupby("row")
    }


def _lines(plot: Any, bench: Bench, points: Mapping[str, Points]) -> None:
    for name, style in looks(bench.record.rows).items():
        if name in points:
            plot.plot(*points[name], label=name, **style)


def _finish(plots: list[Any], label: str) -> None:
    plots[0].set(ylabel=label, yscale="log")
    for plot in plots:
        plain_ticks(plot.yaxis)
        plot.grid(visible=True, axis="y", which="minor", linewidth=0.3)
    legend_below(plots)


def _height(bench: Bench) -> float:
    """Rows take a line of the legend, two or three of them each."""
    return 4.4 + 0.09 * len(bench.record.rows)
