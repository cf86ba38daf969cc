"""Several plots in one picture, and how rows look in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from reports.bench.found import Bench, Place
from reports.canvas import axes, colours

_HUES = tuple("0123456789")
"""Colours are used again with another mark, as more of them could not be told apart."""

_MARKS = ("o", "^", "s", "D", "v", "P")


@contextmanager
def panels(width: float, height: float, count: int, **shared: Any) -> Iterator[list[Any]]:
    """So many axes side by side in one figure."""
    with axes(width, height) as one:
        figure = one.figure
        one.remove()
        yield list(figure.subplots(1, count, squeeze=False, **shared)[0])


def looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour and mark of each row's line."""
    palette = colours(_HUES)
    return {
        name: {
            "color": palette[_HUES[place % len(_HUES)]],
            "marker": _MARKS[place // len(_HUES) % len(_MARKS)],
            "markersize": 4,
            "linewidth": 1.2,
        }
        for place, name in enumerate(names)
    }


def legend_below(plots: Sequence[Any]) -> None:
    """One legend for all plots, of names that any of them has; as many columns as fit."""
    handles: dict[str, Any] = {}
    for plot in plots:
        for handle, label in zip(*plot.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
        plot.spines[["top", "right"]].set_visible(False)
    longest = max(map(len, handles), default=1)
    width = plots[0].figure.get_figwidth()
    # A letter is about a thirteenth of an inch wide, and a handle takes half an inch.
    columns = max(1, min(len(handles), int(width / (0.5 + longest / 13))))
    plots[0].figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=columns, frameon=False
    )


def drawn_places(bench: Bench, batch: int | None = None) -> list[Place]:
    """Places with any sample, of one batch size or of the smallest that each route has."""
    first: dict[str, Place] = {}
    for place in bench.places:
        if bench.found[place] and batch in {None, place.batch}:
            first.setdefault(place.route, place)
    return list(first.values())
