"""Where the time of an end-to-end call goes: parts that sum to the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import pandas as pd

from harness.spec import StageName
from reports.bench.found import Bench, Place

STAGES: tuple[StageName, ...] = get_args(StageName)

_EXACT = 1e-6
"""Share of the whole that the parts may miss it by: what adding floating-point numbers leaves."""


@dataclass(frozen=True)
class Parts:
    """Mean ms of each stage that a row has, in order, and of the whole call.

    Means, as medians of parts do not sum to the median of the whole.
    """

    means: Mapping[StageName, float]
    whole: float

    @property
    def sum(self) -> float:
        """Of the parts."""
        return sum(self.means.values())

    @property
    def is_whole(self) -> bool:
        """Whether nothing of a call lies between its stages."""
        return abs(self.sum - self.whole) <= _EXACT * self.whole


def first_place(bench: Bench) -> Place | None:
    """Where stages are looked at: end to end at the smallest batch; None if that was not timed."""
    found = [place for place in bench.places if place.route == "end_to_end"]
    return found[0] if found else None


def parts(bench: Bench) -> dict[str, Parts]:
    """From a row to its parts; rows without samples end to end are left out."""
    place = first_place(bench)
    if place is None:
        return {}
    by_row = {str(name): own for name, own in bench.of(place).groupby("row")}
    return {row.name: _parts(by_row[row.name]) for row in bench.record.rows if row.name in by_row}


def present(found: Mapping[str, Parts]) -> tuple[StageName, ...]:
    """The stages that any row has, in order."""
    return tuple(stage for stage in STAGES if any(stage in one.means for one in found.values()))


def _parts(samples: pd.DataFrame) -> Parts:
    """A stage that some samples lack took no time in these."""
    had = [stage for stage in STAGES if stage in samples and samples[stage].notna().any()]
    means = {stage: float(samples[stage].fillna(0.0).mean()) for stage in had}
    return Parts(means, float(samples["total_ms"].mean()))
