"""What must hold of any data set, whoever reads it; every fault is one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.spec import BadInput

SPLITS = ("train", "valid", "test")


def require_path(path: Path | None, what: str) -> Path:
    """The path of the data set.

    Raises:
        BadInput: none was given, or nothing is there.
    """
    if path is None:
        raise BadInput(f"missing; expected the path of {what}", key="path")
    if not path.exists():
        raise BadInput("no such file", file=path, key="path")
    return path


def check_membership(
    file: Path,
    ids: Mapping[str, Sequence[str]],
    video_ids: Mapping[str, Sequence[str]],
    *,
    allow_shared_videos: bool,
) -> tuple[str, ...]:
    """Findings on who is in which split.

    Args:
        file: named in messages.
        ids: split to its clip ids.
        video_ids: split to the videos of its clips, in the same order.
        allow_shared_videos: a video in two splits is a finding instead of a fault.

    Raises:
        BadInput: no clips in a split, a clip twice, or a video in two splits.
    """
    for split in SPLITS:
        if not ids.get(split):
            raise BadInput("no clips in this split; expected at least one", file=file, key=split)
    _check_unique(file, ids)
    shared = _shared({split: set(videos) for split, videos in video_ids.items()})
    if shared and not allow_shared_videos:
        video, homes = next(iter(shared.items()))
        raise BadInput(
            f"{len(shared)} videos are in two splits, such as '{video}' in {' and '.join(homes)}; "
            "clips of one video are not independent; to accept it set allow_shared_videos: true",
            file=file,
            key="id",
        )
    sizes = (f"{split} {len(ids[split])} of {len(set(video_ids[split]))} videos" for split in SPLITS)
    told = (f"{len(shared)} videos have clips in two splits (allow_shared_videos)",) if shared else ()
    return (f"clips: {', '.join(sizes)}; dropped: 0", *told)


def check_labels(
    file: Path, key: str, labels: NDArray[np.floating], label_range: tuple[float, float]
) -> None:
    """Labels (N,) are numbers within the range.

    Raises:
        BadInput: some are NaN, infinite or out of range; they are counted.
    """
    low, high = label_range
    broken = int(np.count_nonzero(~np.isfinite(labels)))
    if broken:
        raise BadInput(f"{broken} of {len(labels)} labels are NaN or infinite", file=file, key=key)
    # The labels of published files are float32: 1/3 steps may lie a rounding beyond the range.
    outside = labels[(labels < low - 1e-4) | (labels > high + 1e-4)]
    if len(outside):
        raise BadInput(
            f"{len(outside)} of {len(labels)} labels are outside label_range [{low:g}, {high:g}], "
            f"such as {outside[0]:g}",
            file=file,
            key=key,
        )


def check_finite(file: Path, key: str, values: NDArray[np.floating], remedy: str = "") -> None:
    """All values are finite.

    Args:
        file: named in the message.
        key: named in the message.
        values: of any shape.
        remedy: what the user may do about it, for the end of the message.

    Raises:
        BadInput: some are not; they are counted by kind.
    """
    counts = non_finite(values)
    if counts:
        raise BadInput(f"{counts} among {values.size} values{remedy}", file=file, key=key)


def non_finite(values: NDArray[np.floating]) -> str:
    """How many values are not finite, such as ``3 NaN, 1 -inf``; empty when all are."""
    if np.isfinite(values).all():
        return ""
    counts = {"NaN": np.isnan(values), "+inf": np.isposinf(values), "-inf": np.isneginf(values)}
    return ", ".join(f"{mask.sum()} {name}" for name, mask in counts.items() if mask.any())


def _check_unique(file: Path, ids: Mapping[str, Sequence[str]]) -> None:
    home: dict[str, str] = {}
    for split in SPLITS:
        for clip in ids[split]:
            if clip in home:
                twice = f"twice in {split}" if home[clip] == split else f"in {home[clip]} and in {split}"
                raise BadInput(
                    f"clip '{clip}' is {twice}; expected every clip once", file=file, key="id"
                )
            home[clip] = split


def _shared(videos: Mapping[str, set[str]]) -> dict[str, list[str]]:
    every = sorted(set().union(*videos.values()))
    homes = {video: [split for split in SPLITS if video in videos[split]] for video in every}
    return {video: found for video, found in homes.items() if len(found) > 1}
