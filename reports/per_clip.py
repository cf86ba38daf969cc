"""What a difference between two arms is the mean of: one number a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec import METRICS, MetricSpec, TaskSpec

if TYPE_CHECKING:
    import pandas as pd


def compared(task: TaskSpec) -> MetricSpec:
    """The metric whose difference a table of the task shows."""
    return METRICS[task.per_clip]


def per_clip(clips: pd.DataFrame, metric: str) -> pd.Series[float] | None:
    """The number of each clip that the metric is the mean of; None where the predictions have none.

    Args:
        clips: Predictions, with `PREDICTION_COLUMNS` and values.
        metric: ``mae``, of scores, or ``map``, of average precisions: a clip's is the mean of those of
            its sound and of its pictures as queries.
    """
    if metric == "mae" and "score" in clips:
        return (clips["score"] - clips["target"]).abs()
    if metric == "map" and "ap_a2v" in clips:
        return (clips["ap_a2v"] + clips["ap_v2a"]) / 2
    return None
