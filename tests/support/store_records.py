"""What a trial leaves, without training one."""

from __future__ import annotations

import pandas as pd

from harness.spec import Efficiency, Environment, EpochRecord, Latency, TrialResult
from harness.study.launch.base import Order

ENVIRONMENT = Environment(
    code_revision="abc1234",
    python="3.11.7",
    versions={"torch": "2.13.0"},
    platform="Linux",
    cpu="some cpu",
    cores=2,
    threads=1,
    accelerator="cpu",
)
LATENCY = Latency(
    samples_ms=(1.0, 2.0),
    median_ms=1.5,
    p90_ms=1.9,
    batch_size=1,
    warmup_calls=3,
    intra_threads=1,
    inter_threads=1,
    device="cpu",
)


def ended(order: Order, mae: float | None = None) -> tuple[TrialResult, pd.DataFrame]:
    """A complete trial of three epochs, whose errors follow from its identity."""
    value = int(order.trial_id[:4], 16) / 65536 if mae is None else mae
    epochs = tuple(EpochRecord(epoch=n, metrics={"val/mae": value + 1 / (n + 1)}) for n in range(3))
    result = TrialResult(
        trial_id=order.trial_id,
        group_id=order.group_id,
        spec=order.spec,
        state="complete",
        data_fingerprint=order.fingerprint,
        environment=ENVIRONMENT,
        metrics={f"{split}/mae": value + 1 / 3 for split in order.spec.splits},
        epochs=epochs,
        best_epoch=2,
        efficiency=Efficiency(parameters=1000, latency=LATENCY),
        seconds={"train": 0.01},
    )
    return result, predictions()


def predictions() -> pd.DataFrame:
    """Two clips."""
    return pd.DataFrame(
        {
            "split": ["val", "test"],
            "id": ["v1_0", "v2_0"],
            "video_id": ["v1", "v2"],
            "target": [0.5, -1.0],
            "score": [0.25, -0.75],
        }
    )
