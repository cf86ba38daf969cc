"""The tasks: what is predicted, over which protocol names, and which metric decides."""

from __future__ import annotations

from typing import Literal

from harness.spec.base import Frozen

Protocol = Literal["mmsa", "mult", "misa", "mag_bert", "sims", "sdk_mosei"]
"""A published way of turning scores into metrics; see `harness.metrics.sentiment`."""


class TaskSpec(Frozen):
    """One kind of prediction and the metrics that judge it."""

    name: str
    kind: Literal["regression", "retrieval"]
    metrics: tuple[str, ...]
    primary: str


TASKS: dict[str, TaskSpec] = {
    "sentiment": TaskSpec(
        name="sentiment",
        kind="regression",
        metrics=("mae", "corr", "acc2_has0", "f1_has0", "acc2_non0", "f1_non0", "acc7", "acc5", "acc3"),
        primary="mae",
    )
}
