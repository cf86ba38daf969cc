"""From clips with labels to a data set with classes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from harness.data.pairs.classes import Classes, find_classes
from harness.data.pairs.clips import Clips
from harness.data.pairs.config import CutConfig
from harness.data.pairs.repeats import repeats
from harness.data.pairs.scale import VIEWS, Scale, scaled
from harness.data.pairs.source import Source
from harness.data.pairs.validation import RULE, held_out
from harness.data.parts.checks import SPLITS, check_membership
from harness.data.parts.sequences import aligned, longest
from harness.spec import BadInput
from harness.types import Batch, DataInfo, Dataset


def cut_fingerprint(bytes_hash: str, config: CutConfig) -> str:
    """A hash of what was read and of how validation is cut from it."""
    rule = f"{bytes_hash}/{RULE}/{config.validation!r}/{config.validation_seed}"
    return hashlib.sha256(rule.encode()).hexdigest()


def cut_dataset(source: Source, train: Clips, test: Clips, config: CutConfig) -> Dataset:
    """The data set of a source with train and test; validation is cut from train.

    Raises:
        BadInput: what `assemble` refuses, or too few training clips of a class.
    """
    classes = find_classes(train.labels, config.classes)
    # Before the cut: a class of test that train lacks is the plainer fault.
    classes.index(test.labels)
    try:
        out = held_out(
            train.groups,
            classes.index(train.labels),
            classes.names,
            config.validation,
            config.validation_seed,
        )
    except BadInput as fault:
        raise fault.at(file=source.file) from fault
    rule = (
        f"{100 * config.validation:g} % of train, by the rule {RULE} with seed {config.validation_seed}"
    )
    splits = {
        "train": train.take(np.flatnonzero(~out)),
        "valid": train.take(np.flatnonzero(out)),
        "test": test,
    }
    findings = (*train.findings, *test.findings)
    return assemble(replace(source, validation=rule), splits, classes, config.scale, findings)


def assemble(
    source: Source,
    splits: Mapping[str, Clips],
    classes: Classes,
    scale: Scale,
    findings: Sequence[str],
) -> Dataset:
    """The data set of three splits, checked and scaled; `findings` are those made so far.

    Raises:
        BadInput: an empty split, a clip twice, a video in two splits, widths that differ.
    """
    ids = {split: splits[split].ids for split in SPLITS}
    groups = {split: splits[split].groups for split in SPLITS}
    check_membership(source.file, ids, groups, allow_shared_videos=source.allow_shared_videos)
    _check_widths(source, splits)
    batches = {split: _batch(splits[split], classes) for split in SPLITS}
    train, valid, test = (batches[split] for split in SPLITS)
    sizes = (_sizes(batches), *classes.findings(batches), *repeats(batches))
    told = (*source.findings, *findings, *sizes)
    data = Dataset(train, valid, test, info=_info(source, batches, classes.names), findings=told)
    return scaled(data, scale)


def _batch(clips: Clips, classes: Classes) -> Batch:
    target = torch.from_numpy(classes.index(clips.labels))
    return Batch(clips.ids, clips.groups, target, audio=clips.audio, vision=clips.vision)


def _check_widths(source: Source, splits: Mapping[str, Clips]) -> None:
    for view in VIEWS:
        expected = getattr(splits["train"], view).width
        for split in SPLITS[1:]:
            found = getattr(splits[split], view).width
            if found != expected:
                message = f"expected {expected} columns as in train, found {found}"
                raise BadInput(message, file=source.file, key=f"{split}.{view}")


def _sizes(batches: Mapping[str, Batch]) -> str:
    sizes = []
    for split in SPLITS:
        batch = batches[split]
        known = batch.video_ids != batch.ids
        of = f" of {len(set(batch.video_ids))} videos" if known else ""
        sizes.append(f"{split} {len(batch)}{of}")
    return f"clips: {', '.join(sizes)}"


def _info(source: Source, batches: Mapping[str, Batch], names: tuple[str, ...]) -> DataInfo:
    sizes = {f"{view}_width": getattr(batches["train"], view).width for view in VIEWS}
    sizes |= {f"{view}_steps": longest(batches.values(), view) for view in VIEWS}
    return DataInfo(
        task="retrieval",
        label_range=(0.0, len(names) - 1.0),
        views=frozenset(VIEWS),
        classes=names,
        is_aligned=aligned(batches.values(), VIEWS),
        features=source.features,
        **sizes,
    )
