"""What the engine is given, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from harness.engine.loop import IsHopeless, OnEpoch, never
from harness.spec import Runtime, TrialResult, TrialSpec
from harness.types import Dataset


@dataclass(frozen=True)
class Assignment:
    """A trial and everything it is given.

    Attributes:
        advice: files with the outputs of the spec's `advisers` on the training clips, in their order;
            None for one that left none.
        work: folder for the resumable checkpoint and for the files that the trial leaves.
        cache: folder of what frozen parts of models say of clips, shared by all trials.
        is_hopeless: asked after every epoch, and when the trial is resumed; True gives it up.
        neighbours: trials that may run on this machine meanwhile, and disturb what is measured.
    """

    spec: TrialSpec
    trial_id: str
    group_id: str
    fingerprint: str
    data: Dataset
    advice: tuple[Path | None, ...]
    work: Path
    cache: Path
    runtime: Runtime
    on_epoch: OnEpoch
    is_hopeless: IsHopeless = never
    neighbours: int = 0


@dataclass(frozen=True)
class Finished:
    """What a trial leaves: its record, predictions on its splits, and files by artifact name."""

    result: TrialResult
    predictions: pd.DataFrame | None = None
    files: dict[str, Path] = field(default_factory=dict)
