"""How many times the reference a row takes, with an interval that is paired by clip and process."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.statistics import Floats

Counts = NDArray[np.int64]

DRAWS = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """Median of a row over median of the reference, both over the units that they share.

    A unit is a clip (or batch of clips) in a process, and its value the median of its samples.

    Attributes:
        lower, upper: ends of the interval; NaN where one process has one clip only.
        left_out: units that only one of the two has.
    """

    estimate: float
    lower: float
    upper: float
    processes: int
    groups: int
    left_out: int

    @property
    def has_interval(self) -> bool:
        """Whether there was anything to resample."""
        return math.isfinite(self.lower)


def ratio(row: pd.DataFrame, reference: pd.DataFrame, draws: int = DRAWS) -> Ratio | None:
    """The ratio, and its bootstrap interval by percentiles; None where the two share no unit.

    Processes and groups are resampled crossed, as neither lies within the other: a draw counts how
    often each process and each group came, and a unit weighs their product. Both rows have the same
    draw, which is what pairs them. Every call has the same stream of draws.

    Args:
        row: samples (`SAMPLE_COLUMNS`) of one row, route and batch size.
        reference: the same of the reference.
        draws: how many resamples.
    """
    units = pd.concat({"row": _units(row), "reference": _units(reference)}, axis=1)
    shared = units.dropna()
    if shared.empty:
        return None
    process, processes = pd.factorize(shared.index.get_level_values("process"))
    group, groups = pd.factorize(shared.index.get_level_values("group"))
    one, other = (shared[name].to_numpy(dtype=np.float64) for name in ("row", "reference"))
    lower = upper = math.nan
    if len(shared) > 1:
        rng = np.random.default_rng(0)
        times_process, times_group = (_counts(rng, len(of), draws) for of in (processes, groups))
        weights = times_process[:, process] * times_group[:, group]
        # A draw may hold nothing but units that are missing.
        weights = weights[weights.any(axis=1)]
        drawn = weighted_medians(one, weights) / weighted_medians(other, weights)
        tail = (1 - CONFIDENCE) / 2
        lower, upper = (float(end) for end in np.quantile(drawn, (tail, 1 - tail)))
    return Ratio(
        estimate=float(np.median(one) / np.median(other)),
        lower=lower,
        upper=upper,
        processes=len(processes),
        groups=len(groups),
        left_out=len(units) - len(shared),
    )


def weighted_medians(values: Floats, weights: Counts) -> Floats:
    """(draws,) medians of values (n,), each taken as often as weights (draws, n) say.

    Every draw has some weight; of an even number the two in the middle are averaged.
    """
    order = np.argsort(values, kind="stable")
    ranked, below = values[order], np.cumsum(weights[:, order], axis=1)
    total = below[:, -1:]
    lower, upper = ((2 * below >= total).argmax(axis=1), (2 * below > total).argmax(axis=1))
    medians: Floats = (ranked[lower] + ranked[upper]) / 2
    return medians


def _units(samples: pd.DataFrame) -> pd.Series[float]:
    return samples.groupby(["process", "group"])["total_ms"].median()


def _counts(rng: np.random.Generator, n: int, draws: int) -> Counts:
    """(draws, n) how often each of n came when n are drawn with replacement."""
    return rng.multinomial(n, np.full(n, 1 / n), size=draws)
