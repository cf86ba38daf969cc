"""What the samples of one row, on one route, at one batch size say: percentiles and spread."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.statistics import Floats

ENOUGH = 100
"""Below so many samples the 99th percentile is hardly more than their maximum."""


@dataclass(frozen=True)
class Times:
    """Milliseconds a call, over samples that weigh as one each, however many calls they are means of.

    Attributes:
        p90, p95, p99: percentiles by `numpy.percentile`, method `linear`; `p99` is NaN for fewer than
            `ENOUGH` samples.
        sd: of the sample, NaN for one.
        low, high: the smallest and the largest median of a process.
    """

    samples: int
    calls: int
    processes: int
    median: float
    p90: float
    p95: float
    p99: float
    mean: float
    sd: float
    low: float
    high: float


def times(samples: pd.DataFrame) -> Times:
    """The summary of samples (`SAMPLE_COLUMNS`), at least one, of one row, route and batch size."""
    total: Floats = samples["total_ms"].to_numpy(dtype=np.float64)
    median, p90, p95, p99 = (float(one) for one in np.percentile(total, (50, 90, 95, 99)))
    of_processes = samples.groupby("process")["total_ms"].median()
    return Times(
        samples=len(total),
        calls=int(samples["calls"].sum()),
        processes=len(of_processes),
        median=median,
        p90=p90,
        p95=p95,
        p99=p99 if len(total) >= ENOUGH else math.nan,
        mean=float(total.mean()),
        sd=float(total.std(ddof=1)) if len(total) > 1 else math.nan,
        low=float(of_processes.min()),
        high=float(of_processes.max()),
    )
