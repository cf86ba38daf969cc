"""Clips that are in two splits under different ids."""

from __future__ import annotations

from collections.abc import Mapping

from harness.data.parts.checks import SPLITS
from harness.types import Batch, Padded


def repeats(batches: Mapping[str, Batch]) -> tuple[str, ...]:
    """A finding for each later split in which clips have both sound and picture of a training clip.

    Features are compared bit by bit. Files without ids hide such clips from every other check.
    """
    train = set(_contents(batches["train"]))
    counts = {split: sum(clip in train for clip in _contents(batches[split])) for split in SPLITS[1:]}
    return tuple(
        f"{count} clips of {split} have both features of a clip of train, to the last bit"
        for split, count in counts.items()
        if count
    )


def _contents(batch: Batch) -> list[tuple[bytes, bytes]]:
    return list(zip(_rows(batch.audio), _rows(batch.vision), strict=True))


def _rows(features: Padded | None) -> list[bytes]:
    """The bytes of each clip's existing steps."""
    if features is None:
        return []
    values = features.values.numpy()
    return [values[row, :length].tobytes() for row, length in enumerate(features.lengths.tolist())]
