"""A bench record with what its samples say, worked out once for every file that is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from harness.spec import BenchRecord, BenchRow, Route
from reports.bench.ratios import Ratio, ratio
from reports.bench.times import Times, times


@dataclass(frozen=True)
class Place:
    """A table of its own: nothing is compared across routes or batch sizes."""

    route: Route
    batch: int


@dataclass(frozen=True)
class Found:
    """What was found of one row at one place; `ratio` is None of the reference, and where none is."""

    times: Times
    ratio: Ratio | None


@dataclass(frozen=True)
class Bench:
    """The record, its samples, and what was found by place and row.

    Attributes:
        found: of rows that have samples there; in the record's order of rows.
    """

    record: BenchRecord
    samples: pd.DataFrame
    found: Mapping[Place, Mapping[str, Found]] = field(default_factory=dict)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every route at every batch size that was asked for: routes first, small batches first."""
        settings = self.record.settings
        return tuple(Place(route, n) for n in sorted(settings.batches) for route in settings.routes)

    @property
    def is_busy(self) -> bool:
        """Whether others used more of the cores than the settings allow, before or in any process."""
        limit = self.record.settings.busy_share
        return any(machine.largest_others_share > limit for machine in self.record.machines)

    @property
    def has_quality(self) -> bool:
        """Whether any row has the metric that stands for its quality."""
        return any(self.record.primary in row.quality for row in self.record.rows)

    def median(self, row: BenchRow, place: Place) -> float | None:
        """In ms a call; None where the row was not timed there."""
        found = self.found[place].get(row.name) if place in self.found else None
        return None if found is None else found.times.median

    def untimed(self, row: BenchRow) -> tuple[Place, ...]:
        """Where the row has no sample, though everybody was asked for some."""
        return tuple(place for place in self.places if row.name not in self.found[place])

    def of(self, place: Place) -> pd.DataFrame:
        """The samples of a place."""
        return at(self.samples, place)


def bench_of(record: BenchRecord, samples: pd.DataFrame) -> Bench:
    """The record with its statistics."""
    places = Bench(record, samples).places
    return Bench(record, samples, {place: _found(record, at(samples, place)) for place in places})


def at(samples: pd.DataFrame, place: Place) -> pd.DataFrame:
    """The samples of one route at one batch size."""
    return samples[(samples["route"] == place.route) & (samples["batch"] == place.batch)]


def _found(record: BenchRecord, samples: pd.DataFrame) -> dict[str, Found]:
    by_row = {str(name): own for name, own in samples.groupby("row")}
    reference = by_row.get(record.reference)
    return {
        row.name: Found(
            times(by_row[row.name]),
            None
            if reference is None or row.name == record.reference
            else ratio(by_row[row.name], reference),
        )
        for row in record.rows
        if row.name in by_row
    }
