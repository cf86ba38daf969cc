"""The clips of a bench: chosen once, read once, and handed to every measuring process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from harness.contracts import Reader, ReadsClips
from harness.engine.bench.order import Entrant, Material
from harness.registry import DATASETS
from harness.spec import BadInput, BenchClip, BenchSettings, Plan, VariantRef
from harness.types import Dataset

ORDER_SEED = 0
"""Of the order of the clips, which is no part of what is measured."""

CHECK_CLIPS = 64
"""Test clips at most that a back end is compared with eager on."""


def material(
    rows: Sequence[Entrant], plan: Plan, settings: BenchSettings
) -> tuple[dict[VariantRef, Material], tuple[BenchClip, ...]]:
    """By data set what measuring processes need of it, and the clips that are timed.

    Raises:
        BadInput: data that changed since the arms were trained, too few test clips, or arms whose data
            have other clips.
    """
    found: dict[VariantRef, Material] = {}
    clips: tuple[BenchClip, ...] = ()
    for row in rows:
        if row.spec.data in found:
            continue
        reader: Reader = DATASETS.build(row.spec.data)
        data = _loaded(reader, plan.fingerprints[row.trial_id])
        clips = clips or chosen_clips(reader, data, settings.clips)
        found[row.spec.data] = _material(data, clips, row.arm)
    return found, clips


def chosen_clips(reader: Reader, data: Dataset, count: int) -> tuple[BenchClip, ...]:
    """Test clips evenly over their lengths, in an order drawn once, so that no batch has the long ones.

    Of n clips from the shortest to the longest it is those at round(i (n - 1) / (count - 1)). Without
    recordings words are counted, and where there are none either the order of the data stands.

    Raises:
        BadInput: there are not so many.
    """
    test = data.test
    if count > len(test):
        raise BadInput(
            f"expected at most the {len(test)} test clips there are, given {count}", key="bench.clips"
        )
    transcripts = test.transcripts
    found = [
        BenchClip(
            id=name,
            seconds=reader.clip_seconds(name) if isinstance(reader, ReadsClips) else None,
            words=None if transcripts is None else len(transcripts[place].split()),
        )
        for place, name in enumerate(test.ids)
    ]
    found.sort(key=lambda clip: (clip.seconds or 0, clip.words or 0))
    last = max(1, count - 1)
    even = [found[round(place * (len(found) - 1) / last)] for place in range(count)]
    return tuple(even[place] for place in np.random.default_rng(ORDER_SEED).permutation(count))


def write_transcripts(data: Dataset, folder: Path) -> None:
    """A file a clip that is timed, by its place; nothing for data without transcripts."""
    folder.mkdir(parents=True)
    for place, text in enumerate(data.test.transcripts or ()):
        (folder / f"{place}.txt").write_text(text, encoding="utf-8")


def _loaded(reader: Reader, expected: str) -> Dataset:
    reader.prepare()
    fingerprint = reader.fingerprint()
    if fingerprint != expected:
        raise BadInput(
            f"the data changed since the arms were trained: fingerprint {fingerprint}, expected "
            f"{expected}; run the study again",
            key="data",
        )
    return reader.load()


def _material(data: Dataset, clips: Sequence[BenchClip], arm: str) -> Material:
    places: Mapping[str, int] = {name: place for place, name in enumerate(data.test.ids)}
    absent = [clip.id for clip in clips if clip.id not in places]
    if absent:
        raise BadInput(
            f"the data of arm '{arm}' have no test clip '{absent[0]}'; rows are timed on the same clips",
            key="bench.arms",
        )
    timed = data.test.take(torch.tensor([places[clip.id] for clip in clips]))
    check = data.test.take(torch.arange(min(CHECK_CLIPS, len(data.test))))
    # Models are built of what the data set says of itself; no other clip is needed any more.
    return Material(replace(data, train=timed, valid=timed, test=timed), check)
