"""Clips without some of their modalities, or without some of the steps of one.

What is missing leaves no trace but its length: features and pixels are zero in place, a transcript
is empty or has fewer words, and of token ids the first and the last stay, which stand around a
sentence. Letters: B clips, T steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import torch
from torch import Tensor

from harness.robustness.draws import Draws
from harness.spec import MODALITY_OF, Modality, View
from harness.types import Batch, Padded

VIEWS: tuple[View, ...] = get_args(View)


def without(batch: Batch, gone: Mapping[Modality, Tensor]) -> Batch:
    """The clips, of which those of `gone[modality]` (B,) bool have no such modality."""
    changed: dict[str, Any] = {}
    for view, clips in _seen(batch, gone):
        if view == "transcript":
            changed["transcripts"] = _emptied(batch.transcripts or (), clips)
        else:
            sequence: Padded = getattr(batch, view)
            rows = clips.unsqueeze(1).expand_as(sequence.mask)
            changed[view] = zeroed(sequence, _but_ends(sequence, rows) if view == "token_ids" else rows)
    return replace(batch, is_degraded=True, **changed)


def thinned(batch: Batch, rate: float, modalities: tuple[Modality, ...], draws: Draws) -> Batch:
    """The clips without each step of the modalities with probability `rate`.

    Text features and their token ids lose the same steps, because a step of both is one token. A
    word is a step of a transcript.
    """
    changed: dict[str, Any] = {}
    for view, _ in _seen(batch, dict.fromkeys(modalities)):
        purpose = f"step/{MODALITY_OF[view]}"
        if view == "transcript":
            changed["transcripts"] = _fewer_words(batch, rate, draws)
            continue
        sequence: Padded = getattr(batch, view)
        lost = draws.steps(batch.ids, purpose, sequence.mask.shape[1]) < rate
        lost = lost.to(sequence.mask.device) & sequence.mask
        changed[view] = zeroed(sequence, _but_ends(sequence, lost) if view == "token_ids" else lost)
    return replace(batch, is_degraded=True, **changed)


def zeroed(sequence: Padded, steps: Tensor) -> Padded:
    """The sequence with zeros at `steps` (B, T) bool; the steps are still counted as such."""
    shape = (*steps.shape, *[1] * (sequence.values.ndim - 2))
    return Padded(sequence.values.masked_fill(steps.reshape(shape), 0), sequence.mask)


def _seen(batch: Batch, gone: Mapping[Modality, Any]) -> list[tuple[View, Any]]:
    """The views of the batch that show a modality of `gone`, each with what is said of it."""
    names = {view: "transcripts" if view == "transcript" else view for view in VIEWS}
    return [
        (view, gone[MODALITY_OF[view]])
        for view in VIEWS
        if MODALITY_OF[view] in gone and getattr(batch, names[view]) is not None
    ]


def _emptied(transcripts: tuple[str, ...], clips: Tensor) -> tuple[str, ...]:
    return tuple(
        "" if is_gone else text for text, is_gone in zip(transcripts, clips.tolist(), strict=True)
    )


def _but_ends(tokens: Padded, steps: Tensor) -> Tensor:
    """Steps (B, T) less the first and the last existing one of each clip."""
    place = torch.arange(steps.shape[1], device=steps.device)
    last = (tokens.lengths - 1).clamp(min=0).unsqueeze(1)
    return steps & (place > 0) & (place < last)


def _fewer_words(batch: Batch, rate: float, draws: Draws) -> tuple[str, ...]:
    words = [text.split() for text in batch.transcripts or ()]
    most = max((len(said) for said in words), default=0)
    lost = (draws.steps(batch.ids, "step/text", max(1, most)) < rate).tolist()
    return tuple(
        # Untouched texts stay as they were typed, spaces and all.
        " ".join(word for word, gone in zip(said, row, strict=False) if not gone)
        if any(row[: len(said)])
        else text
        for text, said, row in zip(batch.transcripts or (), words, lost, strict=True)
    )
