"""Sentiment regression metrics, as the published codes compute them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.protocols import PROTOCOLS, Levels, Polarity, Rules
from harness.spec import SentimentProtocol

Values = NDArray[np.float64]


def sentiment_metrics(
    score: NDArray[Any], target: NDArray[Any], protocol: SentimentProtocol
) -> dict[str, float]:
    """The metrics that `protocol` defines, by name in `harness.spec.METRICS`, never rounded.

    A metric that the protocol does not define is absent. One that it defines but these clips leave
    without a value is NaN: Corr of a constant or of one clip, a non0 metric without a label other
    than 0, anything of no clips.

    Args:
        score: (N,) predictions.
        target: (N,) labels.
        protocol: a name in `harness.metrics.protocols.PROTOCOLS`.

    Raises:
        ValueError: shapes differ, or a prediction or label is not finite.
    """
    return measure(score, target, PROTOCOLS[protocol])


def measure(score: NDArray[Any], target: NDArray[Any], rules: Rules) -> dict[str, float]:
    """As `sentiment_metrics`, for rules that need no name."""
    score, target = _finite(score, "prediction"), _finite(target, "label")
    if score.shape != target.shape or score.ndim != 1:
        raise ValueError(f"expected (N,) scores and labels, given {score.shape} and {target.shape}")
    if rules.drop_zero_labels:
        score, target = score[target != 0], target[target != 0]
    if rules.clip is not None:
        score, target = score.clip(-rules.clip, rules.clip), target.clip(-rules.clip, rules.clip)
    found = {"mae": _mae(score, target), "corr": _pearson(score, target)}
    for suffix, polarity in rules.polarities.items():
        found |= _two_classes(score, target, polarity, suffix)
    for name, levels in rules.levels.items():
        found[name] = _accuracy(level(target, levels), level(score, levels))
    return found


def level(values: NDArray[Any], levels: Levels) -> NDArray[np.int64]:
    """(N,) the level of each value: an integer in [-bound, bound], or a bin number from 0.

    Bins are looked up in float32 whatever the precision of the values: models give float32 scores
    and the published SIMS code compares them so, and 0.1 as float32 is above 0.1 as float64. The
    same clip thus has the same level however its score was stored.
    """
    if levels.rounding == "right_closed":
        edges = np.asarray(levels.edges, dtype=np.float32)
        bins = np.searchsorted(edges, values.astype(np.float32), side="left")
        return np.asarray(bins, dtype=np.int64)
    whole = np.rint(values) if levels.rounding == "half_to_even" else _away_from_zero(values)
    return np.asarray(whole.clip(-levels.bound, levels.bound), dtype=np.int64)


def weighted_f1(first: NDArray[Any], second: NDArray[Any]) -> float:
    """F1 of each class, weighted by the class counts of `first`; an undefined class F1 counts 0."""
    from sklearn.metrics import f1_score

    if not len(first):
        return float("nan")
    return float(f1_score(first, second, average="weighted", zero_division=0))


def _two_classes(score: Values, target: Values, polarity: Polarity, suffix: str) -> dict[str, float]:
    if polarity.drop_zero_labels:
        score, target = score[target != 0], target[target != 0]
    compare = np.greater_equal if polarity.zero_is_positive else np.greater
    truth, predicted = compare(target, 0), compare(score, 0)
    found = {f"acc2_{suffix}": _accuracy(truth, predicted)}
    if polarity.f1_weights is not None:
        ordered = (truth, predicted) if polarity.f1_weights == "labels" else (predicted, truth)
        found[f"f1_{suffix}"] = weighted_f1(*ordered)
    return found


def _accuracy(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(truth, predicted)) if len(truth) else float("nan")


def _mae(score: Values, target: Values) -> float:
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(target, score)) if len(target) else float("nan")


def _pearson(score: Values, target: Values) -> float:
    from scipy.stats import NearConstantInputWarning, pearsonr

    if len(score) < 2 or np.ptp(score) == 0 or np.ptp(target) == 0:
        return float("nan")
    with warnings.catch_warnings():
        # Almost constant scores are a fact of a collapsed model, which Corr itself shows.
        warnings.simplefilter("ignore", NearConstantInputWarning)
        return float(pearsonr(score, target).statistic)


def _away_from_zero(values: NDArray[Any]) -> NDArray[Any]:
    return np.copysign(np.ceil(np.abs(values)), values)


def _finite(values: NDArray[Any], what: str) -> Values:
    checked = np.asarray(values, dtype=np.float64)
    missing = int((~np.isfinite(checked)).sum())
    if missing:
        raise ValueError(f"{missing} of {checked.size} {what}s are not finite")
    return checked
