"""Bench records and samples that nobody measured: every number in them is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd

from harness.spec import (
    SAMPLE_COLUMNS,
    BenchClip,
    BenchRecord,
    BenchRow,
    BenchSettings,
    ColdStart,
    Environment,
    MachineState,
    Memory,
    Route,
    StageName,
    VariantRef,
)

STAGES: tuple[StageName, ...] = get_args(StageName)
MIB = 2**20

ENVIRONMENT = Environment(
    code_revision="abc1234",
    python="3.11.7",
    versions={"torch": "2.14.1", "av": "15.0.0"},
    platform="Linux",
    cpu="some cpu",
    cores=2,
    threads=2,
    accelerator="none",
)
MACHINE = MachineState(
    intra_threads=2,
    inter_threads=1,
    affinity=(0, 1),
    others_share=0.02,
    load_average=0.5,
    timer_overhead_us=0.2,
    decoder="PyAV 15.0.0, 1 thread",
)
COLD = ColdStart(imports=1.5, load=0.25, first_call=0.5, second_call=0.125, cache_was_dropped=True)


def bench_row(name: str, **given: Any) -> BenchRow:
    """A text student of a million parameters, or what is given."""
    arm, _, backend = name.partition(" · ")
    known: dict[str, Any] = {
        "name": name,
        "arm": arm,
        "backend": VariantRef(name=backend or "eager"),
        "role": "student",
        "model": "text_encoder",
        "trial_id": f"trial-{arm}",
        "weights": "trained",
        "views": ("transcript",),
        "parameters": 1_000_000,
        "needed_parameters": 900_000,
        "components": {"encoder": 900_000, "unused": 100_000},
        "flops": 2_000_000,
        "end_to_end_flops": 2_000_000,
        "file_bytes": 4 * MIB,
        "cold": COLD,
        "memory": Memory(baseline_rss=100 * MIB, peak_rss=150 * MIB),
    }
    return BenchRow.model_validate({**known, **given})


def bench_record(*rows: BenchRow, **given: Any) -> BenchRecord:
    """Two clips, batch 1, two processes; the first row is the reference."""
    clips = given.pop("clips", (("short", 1.0, 4), ("long", 3.0, 12)))
    settings = {"clips": len(clips), "batches": (1,), "processes": 2, **given.pop("settings", {})}
    known: dict[str, Any] = {
        "study": "costs",
        "settings": BenchSettings.model_validate(settings),
        "reference": rows[0].name,
        "rows": rows,
        "clips": tuple(BenchClip(id=name, seconds=s, words=w) for name, s, w in clips),
        "machines": (MACHINE, MACHINE),
        "data": VariantRef.model_validate({"name": "rendered", "frames": 8}),
        "data_fingerprint": "f00d",
        "primary": "test/mae",
        "environment": ENVIRONMENT,
        "seconds": 60.0,
    }
    return BenchRecord.model_validate({**known, **given})


def timed(  # one sample is eight facts
    row: str,
    total_ms: Sequence[float],
    *,
    route: Route = "model_only",
    batch: int = 1,
    process: int = 0,
    groups: Sequence[int] | None = None,
    calls: int = 1,
    stages: Mapping[StageName, float] | None = None,
) -> pd.DataFrame:
    """A sample for each of the times, on group 0, 1, ... unless told; stages are shares of the total."""
    total = np.asarray(total_ms, dtype=np.float64)
    n = range(len(total))
    known = (process, n, row, route, batch, n if groups is None else list(groups), calls, total)
    frame = pd.DataFrame(dict(zip(SAMPLE_COLUMNS, known, strict=True)))
    shares = stages or {}
    return frame.assign(**{name: total * shares.get(name, np.nan) for name in STAGES})


def together(*samples: pd.DataFrame) -> pd.DataFrame:
    """One table of samples."""
    return pd.concat(samples, ignore_index=True)


def grid(
    row: str,
    clips: Sequence[float],
    processes: int = 3,
    *,
    noise: float = 0.0,
    seed: int = 0,
    **given: Any,
) -> pd.DataFrame:
    """A sample of every clip in every process: the clip's ms, times noise around 1."""
    rng = np.random.default_rng(seed)
    of_clips = np.asarray(clips, dtype=np.float64)
    return together(
        *(
            timed(row, of_clips * np.exp(noise * rng.standard_normal(len(of_clips))), process=n, **given)
            for n in range(processes)
        )
    )
