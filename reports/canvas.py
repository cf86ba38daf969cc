"""A picture's style and its bytes, the same for the same numbers."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

Format = Literal["png", "svg"]

_SAME_BYTES: dict[Format, dict[str, None]] = {"png": {"Software": None}, "svg": {"Date": None}}
"""What would name the day or the version of the library is left out."""

_COLOURS = 10
"""How many colours can be told apart by everybody; more arms than that take hues."""


@contextmanager
def axes(width: float = 6.4, height: float = 4.8) -> Iterator[Any]:
    """Axes of a figure of their own, in inches; matplotlib's state is neither read nor changed."""
    import seaborn
    from matplotlib import rc_context, rcParamsDefault
    from matplotlib.figure import Figure

    style = {**seaborn.axes_style("whitegrid"), **seaborn.plotting_context("paper")}
    kept = {name: value for name, value in rcParamsDefault.items() if not name.startswith("backend")}
    with rc_context({**kept, **style, "svg.hashsalt": "adviserbench"}):
        yield Figure(figsize=(width, height), layout="constrained").subplots()


def drawn(found: Any, kind: Format) -> bytes:
    """The figure of the axes as a file, with its legend; called once within `axes`."""
    explain(found)
    return saved(found, kind)


def explain(found: Any, columns: int = 2) -> None:
    """Puts the legend below the axes, and takes away what frames them without need."""
    handles, labels = found.get_legend_handles_labels()
    if handles:
        found.figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
    found.spines[["top", "right"]].set_visible(False)


def saved(found: Any, kind: Format) -> bytes:
    """The figure of the axes as a file; called within `axes`."""
    content = io.BytesIO()
    found.figure.savefig(content, format=kind, dpi=150, metadata=_SAME_BYTES[kind])
    return content.getvalue()


def fit(
    found: Any,
    heights: Sequence[float],
    keep: Sequence[float],
    direction: Literal["lower", "higher"],
) -> str:
    """Keeps bad outliers from flattening the rest; gives a remark on how many points are left out.

    What is within twice the range of the better nine tenths stays, and all of `keep`. Where there is
    no point at all, that is the remark.
    """
    if not heights:
        found.set(xticks=[], yticks=[])
        return "no complete trial yet"
    sign = 1 if direction == "lower" else -1
    costs = sign * np.asarray(heights, dtype=np.float64)
    best, most = float(costs.min()), float(np.quantile(costs, 0.9))
    bound = max(best + 2 * (most - best), *(sign * value for value in keep))
    beyond = int((costs > bound).sum())
    if not beyond or bound == best:
        return ""
    margin = 0.05 * (bound - best)
    ends = (best - margin, bound + margin)
    found.set_ylim(ends if direction == "lower" else (-ends[1], -ends[0]))
    return f"{beyond} worse {'one is' if beyond == 1 else 'ones are'} outside"


def entitle(found: Any, *said: str) -> None:
    """What the marks mean, above the axes, a line each; empty ones are left out."""
    found.set_title("\n".join(filter(None, said)), fontsize="medium")


def plain_ticks(axis: Any) -> None:
    """Marks 1, 2 and 5 of each decade of a logarithmic axis, as plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    # Of so many ticks none is left out, whatever the range.
    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=100))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_formatter(NullFormatter())


def colours(names: tuple[str, ...]) -> dict[str, Any]:
    """A colour for each name."""
    import seaborn

    palette = "colorblind" if len(names) <= _COLOURS else "husl"
    return dict(zip(names, seaborn.color_palette(palette, len(names)), strict=True))
