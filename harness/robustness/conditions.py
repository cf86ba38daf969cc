"""Test clips as a condition shows them, and training clips with something missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from harness.robustness.absence import VIEWS, thinned, without
from harness.robustness.draws import ByClip, Draws
from harness.spec import MODALITIES, MODALITY_OF, BadInput, Condition, Missing, Modality
from harness.types import Batch, Padded


def under(condition: Condition, clips: Batch, scale: Mapping[str, Tensor]) -> Batch:
    """The clips under a condition; at level 0 they are what they were, to the last bit.

    Noise falls on features here: white noise with an sd of level times the feature's own. A data set
    with recordings puts it there instead.

    Args:
        condition: any but ``blur``.
        clips: (B) any number of them; what happens to one does not depend on the others.
        scale: sd (D,) of feature columns in train, by view.

    Raises:
        BadInput: a condition that features cannot be put under.
    """
    draws = ByClip()
    if condition.kind == "subsets":
        everywhere = torch.ones(len(clips), dtype=torch.bool)
        return without(clips, {m: everywhere for m in MODALITIES if m not in condition.modalities})
    if condition.level == 0:
        return clips
    if condition.kind == "random":
        return without(clips, _gone(condition.modalities, condition.level, clips, draws))
    if condition.kind in {"temporal", "frame_drop", "word_drop"}:
        return thinned(clips, condition.level, condition.modalities, draws)
    if condition.kind == "blur":
        raise BadInput("features cannot be blurred; blur needs a data set of clips", key="robustness")
    return replace(clips, audio=_noisy(clips, condition.level, scale["audio"], draws))


def with_missing(missing: Missing, clips: Batch, draws: Draws) -> Batch:
    """Training clips with something missing, and themselves as `intact`; every clip keeps something."""
    if missing.kind == "temporal":
        taken = thinned(clips, missing.rate, missing.modalities, draws)
    else:
        gone = _gone(missing.modalities, missing.rate, clips, draws)
        taken = without(clips, _but_one(gone, clips, draws))
    return replace(taken, intact=clips)


def _gone(
    modalities: tuple[Modality, ...], rate: float, clips: Batch, draws: Draws
) -> dict[Modality, Tensor]:
    return {m: draws.clips(clips.ids, f"modality/{m}") < rate for m in modalities}


def _but_one(gone: dict[Modality, Tensor], clips: Batch, draws: Draws) -> dict[Modality, Tensor]:
    """The same, but a clip that would have lost all it has keeps one of them, drawn evenly."""
    shown = {
        MODALITY_OF[view]
        for view in VIEWS
        if getattr(clips, "transcripts" if view == "transcript" else view) is not None
    }
    losable = [m for m in MODALITIES if m in gone and m in shown]
    if shown - set(losable) or not losable:
        return gone
    nothing_left = torch.stack([gone[m] for m in losable]).all(0)
    kept = (draws.clips(clips.ids, "kept") * len(losable)).long()
    return gone | {m: gone[m] & ~(nothing_left & (kept == i)) for i, m in enumerate(losable)}


def _noisy(clips: Batch, level: float, sd: Tensor, draws: Draws) -> Padded:
    audio = clips.audio
    if audio is None:
        raise BadInput("the data have no audio that noise could be added to", key="robustness")
    steps, width = audio.mask.shape[1], audio.width
    noise = draws.normal(clips.ids, "noise/audio", steps * width).view(-1, steps, width)
    added = (level * sd * noise).masked_fill(~audio.mask.unsqueeze(2), 0)
    return Padded((audio.values + added).to(audio.values.dtype), audio.mask)
