"""The clips of one split, before their labels are class indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from harness.data.pairs.config import Fill
from harness.data.pairs.features import finite, read_sequences
from harness.data.pairs.labels import Labels, check_agreement, read_labels
from harness.data.pairs.stored import Stored
from harness.spec import BadInput
from harness.types import Padded


@dataclass(frozen=True)
class Clips:
    """N clips, each with a sound, a picture and a label.

    Attributes:
        ids: N clip ids.
        groups: N ids of the videos that the clips are of; a clip's own id where none is known.
        labels: (N,) as stored, and where.
        audio, vision: (N, T, D) float features.
        findings: what was found while reading them.
    """

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    labels: Labels
    audio: Padded
    vision: Padded
    findings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: NDArray[np.int64]) -> Clips:
        """The clips of `index` (n,), in that order; findings stay with the whole."""
        rows, positions = index.tolist(), torch.from_numpy(index)
        return Clips(
            tuple(self.ids[row] for row in rows),
            tuple(self.groups[row] for row in rows),
            self.labels.take(index),
            self.audio.take(positions),
            self.vision.take(positions),
        )


def from_arrays(
    split: str, audio: Stored, vision: Stored, labels: Sequence[Stored], fill: Fill
) -> Clips:
    """The clips of a split that is stored as arrays with a row a clip, and without ids.

    A clip's id is split and row, such as ``train-17``, and it is a group of its own. Where there are
    several files for a split, their names stand for it: rows of two are no one clip.

    Args:
        split: train or test, or the name of a file.
        audio: (N, D) or (N, T, D).
        vision: the same.
        labels: one label vector or several, which must be equal.
        fill: what becomes of values that are not finite.

    Raises:
        BadInput: rows or labels do not match, or an array is not what it should be.
    """
    sounds, pictures = read_sequences(audio), read_sequences(vision)
    count = len(sounds.mask)
    if len(pictures.mask) != count:
        raise vision.fault(f"expected {count} rows, as many as {audio.key}, found {len(pictures.mask)}")
    first, *others = (read_labels(each, count, audio.key) for each in labels)
    for other in others:
        check_agreement(first, other)
    ids = tuple(f"{split}-{row}" for row in range(count))
    sounds, heard = finite(audio, sounds, ids, fill)
    pictures, seen = finite(vision, pictures, ids, fill)
    layouts = (f"{each.stored.key}: {each.layout}" for each in (first, *others) if each.layout)
    return Clips(ids, ids, first, sounds, pictures, (*heard, *seen, *layouts))


def joined(parts: Sequence[Clips]) -> Clips:
    """The clips of all parts, one part after the other.

    Raises:
        BadInput: features of two parts have different widths.
    """
    first = parts[0]
    for view in ("audio", "vision"):
        for part in parts[1:]:
            expected, found = (getattr(each, view).width for each in (first, part))
            if found != expected:
                raise BadInput(
                    f"expected {expected} columns as in {first.labels.stored.file.name}, found {found}",
                    file=part.labels.stored.file,
                    key=view,
                )
    values = np.concatenate([part.labels.values for part in parts])
    return Clips(
        tuple(clip for part in parts for clip in part.ids),
        tuple(group for part in parts for group in part.groups),
        replace(first.labels, stored=replace(first.labels.stored, values=values)),
        Padded.cat([part.audio for part in parts]),
        Padded.cat([part.vision for part in parts]),
        tuple(line for part in parts for line in part.findings),
    )
