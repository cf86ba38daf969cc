"""Means over seeds, and paired differences with an interval over source videos."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from harness.spec import METRICS, Frozen
from reports.per_clip import per_clip

Floats = NDArray[np.float64]


class NotPairedError(ValueError):
    """Two arms whose predictions are not about the same clips."""


class Bootstrap(Frozen):
    """How the interval of a difference is drawn."""

    resamples: int = Field(9999, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1)
    seed: int = Field(0, ge=0)


class Question(Frozen):
    """What a difference is about."""

    metric: str
    split: str


class SeedSummary(Frozen):
    """A mean over seeds with its spread; `sd` is the sample sd, NaN when there is one seed."""

    mean: float
    sd: float
    n: int


class PairedDifference(Frozen):
    """Arm minus reference in a metric over the same clips, averaged over the seeds both have.

    The interval is about other videos under these seeds: it resamples source videos and holds the
    seeds fixed. What the seeds add stands beside it in `seeds`.
    """

    metric: str
    """``mae`` or ``map``: whose mean over clips the difference is of."""

    estimate: float
    lower: float
    upper: float
    method: Literal["BCa", "percentile", "no spread"]
    """``percentile`` where BCa has no value; ``no spread`` (bounds NaN) where no resample differs."""

    seeds: SeedSummary
    """Of the differences of each seed alone."""

    videos: int
    clips: int
    arm_value: float
    reference_value: float
    """Means over seeds of the means over their clips."""

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.upper < 0 or self.lower > 0

    @property
    def is_better(self) -> bool:
        """Whether the interval lies on the side where the arm is better than the reference."""
        return self.upper < 0 if METRICS[self.metric].direction == "lower" else self.lower > 0


def seed_summary(values: Iterable[float]) -> SeedSummary:
    """The mean, sample sd and number of the values; a NaN among them makes both NaN."""
    found = np.asarray(tuple(values), dtype=np.float64)
    if found.size == 0:
        return SeedSummary(mean=math.nan, sd=math.nan, n=0)
    sd = float(found.std(ddof=1)) if found.size > 1 else math.nan
    return SeedSummary(mean=float(found.mean()), sd=sd, n=found.size)


def paired_difference(
    arm: Mapping[int, pd.DataFrame],
    reference: Mapping[int, pd.DataFrame],
    question: Question,
    drawn: Bootstrap,
    rng: np.random.Generator,
) -> PairedDifference:
    """The difference in a metric, arm minus reference, with its bootstrap interval.

    Args:
        arm: Predictions (`PREDICTION_COLUMNS`) by seed.
        reference: The same of the reference arm.
        question: The metric, and the split whose clips count.
        drawn: How many resamples, and how sure the interval shall be.
        rng: The stream of resamples; `drawn.seed` is not looked at.

    Raises:
        NotPairedError: No common seed, or the predictions differ in clips, videos or targets.
    """
    seeds = sorted(arm.keys() & reference.keys())
    if not seeds:
        raise NotPairedError("no seed is complete in both")
    tables = [_paired_values(arm[seed], reference[seed], question) for seed in seeds]
    clips = _over_seeds(tables, seeds)
    arm_values, reference_values = (
        clips[name].to_numpy(dtype=np.float64) for name in ("arm", "reference")
    )
    codes, videos = pd.factorize(clips["video_id"], sort=True)
    differences: Floats = np.bincount(codes, weights=arm_values - reference_values).astype(np.float64)
    counts = np.bincount(codes).astype(np.float64)
    lower, upper, method = _interval(differences, counts, drawn, rng)
    return PairedDifference(
        metric=question.metric,
        estimate=float(differences.sum() / counts.sum()),
        lower=lower,
        upper=upper,
        method=method,
        seeds=seed_summary(float((table["arm"] - table["reference"]).mean()) for table in tables),
        videos=len(videos),
        clips=len(clips),
        arm_value=float(np.mean([table["arm"].mean() for table in tables])),
        reference_value=float(np.mean([table["reference"].mean() for table in tables])),
    )


def _over_seeds(tables: Sequence[pd.DataFrame], seeds: Sequence[int]) -> pd.DataFrame:
    """The means of a clip over the seeds that have it: all, or of folds the one that tests it."""
    first = tables[0]
    if any(first.index.intersection(table.index).empty for table in tables[1:]):
        return _of_folds(tables, seeds)
    for seed, table in zip(seeds[1:], tables[1:], strict=True):
        _check_same_clips(first, table, f"seeds {seeds[0]} and {seed}")
    means = {name: np.mean([table[name] for table in tables], axis=0) for name in ("arm", "reference")}
    return first.assign(**means)


def _of_folds(tables: Sequence[pd.DataFrame], seeds: Sequence[int]) -> pd.DataFrame:
    """Every clip once, of seeds that have no clip in common."""
    together = pd.concat(tables)
    if not together.index.is_unique:
        again = together.index[together.index.duplicated()]
        raise NotPairedError(
            f"some of the seeds {', '.join(map(str, seeds))} test the same clips and some others: "
            f"{len(again)} are shared, such as '{again[0]}'"
        )
    return together


def _paired_values(arm: pd.DataFrame, reference: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Columns video_id, target, arm, reference (a number each), a row per clip, by clip id."""
    one, other = _of_split(arm, question.split), _of_split(reference, question.split)
    _check_same_clips(one, other, "arm and reference")
    values = [per_clip(clips, question.metric) for clips in (one, other)]
    if values[0] is None or values[1] is None:
        raise NotPairedError(f"one of the two has no {METRICS[question.metric].label} of its clips")
    return pd.DataFrame(
        {
            "video_id": one["video_id"],
            "target": one["target"],
            "arm": values[0],
            "reference": values[1],
        }
    )


def _of_split(predictions: pd.DataFrame, split: str) -> pd.DataFrame:
    clips = predictions[predictions["split"] == split].set_index("id").sort_index()
    if clips.empty:
        raise NotPairedError(f"no predictions on split '{split}'")
    if not clips.index.is_unique:
        again = clips.index[clips.index.duplicated()][0]
        raise NotPairedError(f"clip '{again}' is predicted twice")
    return clips


def _check_same_clips(one: pd.DataFrame, other: pd.DataFrame, who: str) -> None:
    if not one.index.equals(other.index):
        alone = one.index.symmetric_difference(other.index)
        raise NotPairedError(f"{who} differ in {len(alone)} clips, such as '{alone[0]}'")
    for column in ("video_id", "target"):
        wrong = one.index[(one[column] != other[column]).to_numpy()]
        if len(wrong):
            raise NotPairedError(
                f"{who} differ in the {column} of {len(wrong)} clips, such as '{wrong[0]}'"
            )


def _interval(
    differences: Floats, counts: Floats, drawn: Bootstrap, rng: np.random.Generator
) -> tuple[float, float, Literal["BCa", "percentile", "no spread"]]:
    from scipy.stats import bootstrap

    if len(counts) < 2:
        return math.nan, math.nan, "no spread"
    with warnings.catch_warnings():
        # BCa says by a warning and NaN that it is undefined; both cases are named below.
        warnings.simplefilter("ignore")
        found: Any = bootstrap(
            (differences, counts),
            _ratio,
            paired=True,
            vectorized=True,
            n_resamples=drawn.resamples,
            batch=1000,
            confidence_level=drawn.confidence,
            method="BCa",
            rng=rng,
        )
    means = np.asarray(found.bootstrap_distribution, dtype=np.float64)
    # Sums in another order may differ in the last digits without any spread.
    if not np.ptp(means) > 1e-12 * max(1.0, float(np.abs(means).max())):
        return math.nan, math.nan, "no spread"
    lower, upper = float(found.confidence_interval.low), float(found.confidence_interval.high)
    if math.isfinite(lower) and math.isfinite(upper):
        return lower, upper, "BCa"
    tail = (1 - drawn.confidence) / 2
    lower, upper = (float(bound) for bound in np.quantile(means, (tail, 1 - tail)))
    return lower, upper, "percentile"


def _ratio(differences: Floats, counts: Floats, axis: int = -1) -> Floats:
    ratio: Floats = differences.sum(axis=axis) / counts.sum(axis=axis)
    return ratio
