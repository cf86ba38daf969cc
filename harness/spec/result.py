"""What a trial leaves behind. The record is the truth; anything else in a store is for looking."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.spec.base import Frozen
from harness.spec.robustness import Condition
from harness.spec.trial import TrialSpec
from harness.spec.variant import View

State = Literal["complete", "failed", "pruned"]
"""How a trial ended. A pruned one was given up by its search: it has epochs and no metrics."""

PREDICTION_COLUMNS = ("split", "id", "video_id", "target")
"""First columns of `predictions.parquet`: a row per clip of the splits that were evaluated."""

PREDICTION_VALUES = (("score",), ("ap_a2v", "ap_v2a"), ("match_ap",))
"""Its last columns, one of these: a score; average precisions of the clip's sound and of its pictures as
queries; the average precision of the clip among all others, by a teacher's match scores."""


ROBUSTNESS_COLUMNS = ("condition", "id", "score")
"""Columns of `robustness.parquet`: a row per condition and test clip."""


class EpochRecord(Frozen):
    """Metrics of one epoch: ``train/<loss>`` means over steps, ``val/<metric>`` at its end."""

    epoch: int
    metrics: dict[str, float]


class Latency(Frozen):
    """Per-call times of a forward pass from ready tensors, in milliseconds, in measured order."""

    samples_ms: tuple[float, ...] = Field(min_length=1)
    median_ms: float
    p90_ms: float
    batch_size: int
    warmup_calls: int
    intra_threads: int
    inter_threads: int
    device: str
    neighbours: int = 0
    """How many other trials of the study may have run on the machine at that time."""


class Efficiency(Frozen):
    """What a trained model costs when it is used."""

    parameters: int
    """Parameters needed at inference; neither a student's teacher nor what only losses read is among
    them."""

    flops: int | None = None
    """Floating-point operations of a forward pass over one clip, two a multiply-add."""

    latency: Latency


class ConditionRecord(Frozen):
    """What the selected model reached on test clips under one condition."""

    condition: Condition
    metrics: dict[str, float]
    """Names of metrics, without a split, under the trial's protocol."""


class Environment(Frozen):
    """Where the numbers were made."""

    code_revision: str
    python: str
    versions: dict[str, str]
    platform: str
    cpu: str
    cores: int
    threads: int
    accelerator: str


class Failure(Frozen):
    """Why a trial has no numbers."""

    message: str
    traceback: str


class TrialResult(Frozen):
    """One trial's record: its spec, its numbers, or its failure, and where they were made."""

    trial_id: str
    group_id: str
    spec: TrialSpec
    state: State
    data_fingerprint: str
    environment: Environment
    metrics: dict[str, float] = {}
    """``<split>/<metric>`` for val and test, of the selected epoch, never rounded."""

    robustness: tuple[ConditionRecord, ...] = ()
    """In the order of the spec's conditions; their predictions are in `robustness.parquet`."""

    views: tuple[View, ...] = ()
    """What the model read of a clip, in alphabetical order."""

    features: str = ""
    """Whose features the data set has, as its reader says."""

    epochs: tuple[EpochRecord, ...] = ()
    best_epoch: int | None = None
    efficiency: Efficiency | None = None
    seconds: dict[str, float] = {}
    """Wall-clock time by phase: build, train, evaluate, measure."""

    notes: tuple[str, ...] = ()
    """Facts a table must say of this trial, such as random weights or lower-cased text."""

    failure: Failure | None = None
