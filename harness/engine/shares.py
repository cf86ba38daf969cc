"""Which training clips a trial learns from: folds of videos, and the labelled share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from harness.engine.seeds import generator
from harness.spec import BadInput, TrialSpec
from harness.types import Batch


def fold_of_clips(video_ids: Sequence[str], folds: int, seed: int) -> Tensor:
    """(B,) the fold of each clip: the videos, in random order, dealt out one by one.

    Clips of one video share a fold, because a teacher that saw a clip's neighbours has seen its
    speaker. Folds differ by one video at most.

    Raises:
        BadInput: more folds than videos.
    """
    videos = list(dict.fromkeys(video_ids))
    if folds > len(videos):
        raise BadInput(f"{folds} folds of {len(videos)} training videos", key="folds")
    order = torch.randperm(len(videos), generator=generator(seed, f"folds/{folds}")).tolist()
    fold = {videos[video]: place % folds for place, video in enumerate(order)}
    return torch.tensor([fold[video] for video in video_ids])


def labelled_clips(count: int, fraction: float, seed: int) -> Tensor:
    """(B,) bool, True for round(fraction · B) random clips, at least one.

    A smaller fraction's clips are among those of a larger one under the same seed.
    """
    chosen = max(1, round(fraction * count))
    labelled = torch.zeros(count, dtype=torch.bool)
    labelled[torch.randperm(count, generator=generator(seed, "labelled"))[:chosen]] = True
    return labelled


def with_labelled_share(spec: TrialSpec, train: Batch) -> Batch:
    """The training clips, marked labelled or not under the trial's fraction; all = nothing to mark."""
    if spec.labelled_fraction == 1:
        return train
    return replace(train, labelled=labelled_clips(len(train), spec.labelled_fraction, spec.seed))


def clips_to_learn(spec: TrialSpec, train: Batch) -> Batch:
    """The clips that the trial's losses are computed on.

    Without the videos of its own fold, if it has one; and without unlabelled clips where there is no
    teacher to say anything of them.
    """
    kept = torch.ones(len(train), dtype=torch.bool)
    if spec.fold is not None:
        kept &= fold_of_clips(train.video_ids, spec.folds, spec.seed) != spec.fold
    if train.labelled is not None and spec.teacher is None:
        kept &= train.labelled
    if kept.all():
        return train
    chosen = train.take(kept.nonzero().squeeze(1))
    return chosen if spec.teacher is not None else replace(chosen, labelled=None)


def clips_to_advise_on(spec: TrialSpec, train: Batch) -> Batch:
    """The clips that a teacher's outputs are stored for: all, or those of its own fold."""
    if spec.fold is None:
        return train
    held_out = fold_of_clips(train.video_ids, spec.folds, spec.seed) == spec.fold
    return train.take(held_out.nonzero().squeeze(1))
