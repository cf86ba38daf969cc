"""Several plots in one picture, and how rows look in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from harness.spec import BenchRow
from reports.bench.found import Bench, Place
from reports.canvas import axes, colours

_HUES = tuple("0123456789")
"""Colours are used again with another mark, as more of them could not be told apart."""

_MARKS = ("o", "^", "s", "D", "v", "P")

_DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))


@contextmanager
def panels(width: float, height: float, count: int, **shared: Any) -> Iterator[list[Any]]:
    """So many axes side by side in one figure."""
    with axes(width, height) as one:
        figure = one.figure
        one.remove()
        yield list(figure.subplots(1, count, squeeze=False, **shared)[0])


def looks(rows: Sequence[BenchRow]) -> dict[str, dict[str, Any]]:
    """How each row's line looks: an arm has a colour and a mark, a back end a kind of dashes."""
    palette = colours(_HUES)
    arms = list(dict.fromkeys(row.arm for row in rows))
    # The plain line is for eager, which comes first wherever it is.
    backends = sorted(dict.fromkeys(row.backend.name for row in rows), key=lambda name: name != "eager")
    found = {}
    for row in rows:
        place = arms.index(row.arm)
        found[row.name] = {
            "color": palette[_HUES[place % len(_HUES)]],
            "marker": _MARKS[place // len(_HUES) % len(_MARKS)],
            "linestyle": _DASHES[backends.index(row.backend.name) % len(_DASHES)],
            "markersize": 4,
            "linewidth": 1.3,
        }
    return found


def legend_below(plots: Sequence[Any]) -> None:
    """One legend for all plots, of names that any of them has; as many columns as fit."""
    handles: dict[str, Any] = {}
    for plot in plots:
        for handle, label in zip(*plot.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
        plot.spines[["top", "right"]].set_visible(False)
    longest = max(map(len, handles), default=1)
    width = plots[0].figure.get_figwidth()
    # A letter is about a thirteenth of an inch wide, and a handle takes 0.6 inches.
    columns = max(1, min(len(handles), int(width / (0.6 + longest / 13))))
    plots[0].figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        handlelength=2.6,
    )


def drawn_places(bench: Bench, batch: int | None = None) -> list[Place]:
    """Places with any sample, of one batch size or of the smallest that each route has."""
    first: dict[str, Place] = {}
    for place in bench.places:
        if bench.found[place] and batch in {None, place.batch}:
            first.setdefault(place.route, place)
    return list(first.values())
