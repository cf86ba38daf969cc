"""Where the time of an end-to-end call goes, as bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.bench.found import Bench
from reports.bench.panels import legend_below, panels
from reports.bench.stages import STAGES, Parts, first_place, parts, present
from reports.bench.tables import calls_of
from reports.bench.words import three_digits
from reports.canvas import colours, saved

_LAST = "0.2"
"""Of the last stage: one more than there are colours."""


def stages_figure(bench: Bench) -> bytes:
    """Mean ms of the stages of each row, stacked, and beside it their shares of the row's whole."""
    found, place = parts(bench), first_place(bench)
    with panels(9.6, 1.6 + 0.3 * len(found), 2, sharey=True) as plots:
        _stack(plots[0], found, dict.fromkeys(found, 1.0))
        _stack(plots[1], found, {name: 100 / one.sum for name, one in found.items()})
        plots[0].bar_label(
            plots[0].containers[-1],
            labels=[three_digits(one.sum) for one in found.values()],
            padding=3,
            fontsize="small",
        )
        plots[0].set_ylim(len(found) - 0.4, -0.6)
        plots[0].set_xlim(0, 1.16 * max(one.sum for one in found.values()))
        plots[0].xaxis.set_major_formatter("{x:,g}")
        plots[0].set(
            xlabel="mean ms a call", title=f"End to end, {calls_of(place.batch if place else 1)}"
        )
        plots[1].set(xlabel="% of the row's call", title="Shares", xlim=(0, 100))
        for plot in plots:
            plot.grid(visible=False, axis="y")
        legend_below(plots)
        return saved(plots[0], "png")


def no_stages_figure(bench: Bench) -> str:
    """Why there is none; empty if there is one."""
    return "" if present(parts(bench)) else "no row was timed end to end with its stages"


def palette() -> dict[str, Any]:
    """The colour of each stage, whichever of them are there."""
    return {**colours(STAGES[:-1]), STAGES[-1]: _LAST}


def _stack(plot: Any, found: Mapping[str, Parts], scales: Mapping[str, float]) -> None:
    names, left = list(found), [0.0] * len(found)
    hues = palette()
    for stage in present(found):
        widths = [found[name].means.get(stage, 0.0) * scales[name] for name in names]
        plot.barh(
            names,
            widths,
            left=left,
            height=0.72,
            color=hues[stage],
            label=stage.replace("_", " "),
            linewidth=0,
        )
        left = [start + width for start, width in zip(left, widths, strict=True)]
