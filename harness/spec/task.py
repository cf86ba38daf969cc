"""The tasks: what is predicted, over which protocol names, and which metric decides."""

from __future__ import annotations

from typing import Literal

from harness.spec.base import Frozen
from harness.spec.variant import OutputName, TaskName

SentimentProtocol = Literal["mmsa", "mult", "misa", "mag_bert", "sims", "sdk_mosei"]
"""A published way of turning scores into metrics; see `harness.metrics.protocols`."""

RetrievalProtocol = Literal["full", "tnn_c_cca", "dscmr", "mrl_50", "acmr_50", "prefix"]
"""A published way of turning rankings into metrics; see `harness.metrics.retrieval_protocols`."""

Protocol = SentimentProtocol | RetrievalProtocol


class TaskSpec(Frozen):
    """One kind of prediction and the metrics that judge it.

    Attributes:
        metrics: names in `METRICS`.
        primary: the metric that selects epochs of students and baselines unless a study says otherwise.
        teachers_primary: the same of teachers.
        asks: the outputs that a student or baseline must give.
        protocols: the task's protocols, the default first.
        per_clip: the column that paired differences are about, as `harness.spec.METRICS` calls its mean.
    """

    name: TaskName
    kind: Literal["regression", "retrieval"]
    metrics: tuple[str, ...]
    primary: str
    teachers_primary: str
    asks: frozenset[OutputName]
    protocols: tuple[Protocol, ...]
    per_clip: str


TASKS: dict[TaskName, TaskSpec] = {
    "sentiment": TaskSpec(
        name="sentiment",
        kind="regression",
        metrics=("mae", "corr", "acc2_has0", "f1_has0", "acc2_non0", "f1_non0", "acc7", "acc5", "acc3"),
        primary="mae",
        teachers_primary="mae",
        asks=frozenset({"score"}),
        protocols=("mmsa", "mult", "misa", "mag_bert", "sims", "sdk_mosei"),
        per_clip="mae",
    ),
    "retrieval": TaskSpec(
        name="retrieval",
        kind="retrieval",
        metrics=(
            "map",
            "map_a2v",
            "map_v2a",
            "map_tie",
            "map_tie_a2v",
            "map_tie_v2a",
            "recall_at_1",
            "recall_at_5",
            "recall_at_10",
            "pair_recall_at_10",
            "match_map",
            "accuracy",
        ),
        primary="map",
        teachers_primary="match_map",
        asks=frozenset({"audio_embedding", "vision_embedding"}),
        protocols=("full", "tnn_c_cca", "dscmr", "mrl_50", "acmr_50", "prefix"),
        per_clip="map",
    ),
}


def task_of(protocol: Protocol) -> TaskSpec:
    """The task that a protocol belongs to; a protocol belongs to one."""
    return next(task for task in TASKS.values() if protocol in task.protocols)
