"""The AVE data set as its authors' code reads it: features, labels, orders, annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from harness.data.pairs.assemble import assemble
from harness.data.pairs.classes import find_classes
from harness.data.pairs.clips import Clips
from harness.data.pairs.config import PairsConfig
from harness.data.pairs.events import Annotations, event_columns, read_annotations, read_order
from harness.data.pairs.features import as_float32, finite
from harness.data.pairs.hdf5 import opened, read_array
from harness.data.pairs.labels import Labels
from harness.data.pairs.source import Source, require_folder
from harness.data.pairs.stored import Stored
from harness.data.parts.checks import SPLITS
from harness.data.parts.hashing import files_hash
from harness.registry import DATASETS
from harness.spec import BadInput
from harness.types import Dataset, Padded

KEY = "avadataset"
ORDERS = {"train": "train_order.h5", "valid": "val_order.h5", "test": "test_order.h5"}
FEATURES = {"audio": "audio_feature.h5", "vision": "visual_feature.h5"}
LABELS, ANNOTATIONS = "labels.h5", "Annotations.txt"
_BLOCK = 64
"""Clips that are read at a time: 64 MB of 10 steps, 7 × 7 cells and 512 columns."""


class AveConfig(PairsConfig):
    """Which folder, and what becomes of steps and shared videos."""

    path: Path | None = Field(
        None,
        description="folder with visual_feature.h5, audio_feature.h5, labels.h5, the three orders and "
        "Annotations.txt",
    )
    time: Literal["mean", "steps"] = Field(
        "mean", description="mean: a clip is the mean over its seconds; steps: a sequence of them"
    )
    shared_videos: Literal["drop", "keep"] = Field(
        "drop", description="drop: no clip is trained on whose video has clips in valid or test; keep"
    )


@DATASETS.register(
    "ave", config=AveConfig, paper="AVE, Tian et al., ECCV 2018, arXiv 1803.08842", tiny={}
)
class Ave:
    """AVE by its authors' splits: 28 events, 10 steps of a second, pictures averaged over their grid.

    The class of a clip is its event; background is none. Annotations.txt has the clips in the order of
    the features' rows. In the published orders 19 training clips are of videos that valid or test have
    a clip of as well, since a video with two events is two clips.
    """

    def __init__(self, config: AveConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Checks that all files are there."""
        for name in self._names():
            if not (self._folder() / name).is_file():
                raise BadInput("no such file", file=self._folder() / name, key="path")

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of all files; the splits are the files' own."""
        return self._bytes_hash

    def load(self) -> Dataset:
        """The three splits of the order files, checked."""
        folder = self._folder()
        annotations = read_annotations(folder / ANNOTATIONS)
        clips, names = self._clips(annotations)
        orders, told = self._orders(len(clips), annotations)
        splits = {split: clips.take(orders[split]) for split in SPLITS}
        present = np.unique(splits["train"].labels.values).tolist()
        classes = find_classes(splits["train"].labels, [names[column] for column in present])
        source = Source(folder, "AVE of its authors' code", self._bytes_hash, not self._drops)
        findings = (*clips.findings, *told)
        return assemble(source, splits, classes, self.config.scale, findings)

    @cached_property
    def _bytes_hash(self) -> str:
        return files_hash(self._folder(), self._names())

    def _folder(self) -> Path:
        return require_folder(self.config.path, "a folder with AVE's features")

    def _names(self) -> list[str]:
        return [*FEATURES.values(), LABELS, *ORDERS.values(), ANNOTATIONS]

    def _clips(self, annotations: Annotations) -> tuple[Clips, tuple[str, ...]]:
        """All clips in the order of their rows, and the names of the label columns."""
        labels = read_array(self._folder() / LABELS, KEY)
        columns, names = event_columns(labels, annotations)
        ids = tuple(f"{video}#{row}" for row, video in enumerate(annotations.videos))
        views, findings = {}, []
        for view, name in FEATURES.items():
            place, features = _features(self._folder() / name, len(ids), self.config.time)
            views[view], told = finite(place, features, ids, self.config.fill_non_finite)
            findings += [f"{view}: {line}" for line in told]
        stored = Labels(replace(labels, values=columns))
        return Clips(ids, annotations.videos, stored, **views, findings=tuple(findings)), names

    def _orders(
        self, count: int, annotations: Annotations
    ) -> tuple[Mapping[str, NDArray[np.int64]], tuple[str, ...]]:
        """Split to the rows of its clips, and findings on those that are in none."""
        files = {split: self._folder() / name for split, name in ORDERS.items()}
        orders = {split: read_order(read_array(file, "order"), count) for split, file in files.items()}
        listed = np.concatenate(list(orders.values()))
        rows, times = np.unique(listed, return_counts=True)
        if len(rows) < len(listed):
            message = f"row {rows[times > 1][0]} is in two orders; expected every clip in one split"
            raise BadInput(message, file=self._folder(), key="order")
        told = [f"dropped: {count - len(rows)} of {count} clips, which no order has"]
        later: set[str] = set()
        for split in ("test", "valid", "train"):
            videos = [annotations.videos[row] for row in orders[split]]
            shared = np.array([video in later for video in videos])
            later.update(videos)
            if shared.any():
                told.append(f"{split}: {self._shared(int(shared.sum()))}")
                orders[split] = orders[split][~shared] if self._drops else orders[split]
        return orders, tuple(told)

    @property
    def _drops(self) -> bool:
        return self.config.shared_videos == "drop"

    def _shared(self, count: int) -> str:
        what = "dropped" if self._drops else "kept"
        return f"{count} clips of videos that a later split has too are {what} (shared_videos)"


def _features(file: Path, count: int, time: Literal["mean", "steps"]) -> tuple[Stored, Padded]:
    """(N, T, D) features of a file's (N, T, ..., D), averaged over the axes between and maybe over T."""
    with opened(file, KEY) as found:
        place = Stored(file, KEY, np.empty(0))
        if found.ndim not in {3, 5} or found.shape[0] != count or not all(found.shape):
            raise place.fault(
                f"expected ({count}, T, D) or ({count}, T, H, W, D), a row for each line of "
                f"{ANNOTATIONS}, found {found.shape}"
            )
        if found.dtype.kind not in "iuf":
            raise place.fault(f"expected numbers, found {found.dtype}")
        blocks = [_mean(found[start : start + _BLOCK], time) for start in range(0, count, _BLOCK)]
    values = torch.from_numpy(np.concatenate(blocks))
    return place, Padded(values, torch.ones(values.shape[:2], dtype=torch.bool))


def _mean(block: NDArray[np.generic], time: Literal["mean", "steps"]) -> NDArray[np.float32]:
    cells = as_float32(block).reshape(*block.shape[:2], -1, block.shape[-1])
    steps = cells.mean(2)
    return steps.mean(1, keepdims=True) if time == "mean" else steps
