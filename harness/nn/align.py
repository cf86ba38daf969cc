"""Bringing one modality to the steps of another, for models that read them step by step."""

from __future__ import annotations

from typing import Literal

import torch

from harness.types import Padded

Align = Literal["pool", "peer"]
"""How a model of aligned features takes others: the average of neighbouring steps
(``pool``), or as MMSA averages (``peer``, for comparing with it: it reads padding too)."""


def pooled(sequence: Padded, like: Padded) -> Padded:
    """The sequence (B, T, D) at the steps of `like` (B, L, ...): each the mean of its neighbours.

    Of n steps and m wanted ones, step i is the mean over steps floor(i n / m) to ceil((i + 1) n / m)
    (exclusive), as adaptive average pooling has it, clip by clip and of existing steps only. A clip
    without a step is zero.
    """
    wanted, found = like.lengths, sequence.lengths
    step = torch.arange(like.mask.shape[1], device=like.mask.device)
    count = wanted.clamp(min=1).unsqueeze(1)
    start = step * found.unsqueeze(1) // count
    stop = -(-(step + 1) * found.unsqueeze(1) // count)
    total = sequence.values.cumsum(1)
    total = torch.cat((torch.zeros_like(total[:, :1]), total), dim=1)
    most = total.shape[1] - 1
    ends = [index.clamp(max=most).unsqueeze(2).expand(-1, -1, sequence.width) for index in (start, stop)]
    sums = total.gather(1, ends[1]) - total.gather(1, ends[0])
    means = sums / (stop - start).clamp(min=1).unsqueeze(2)
    return Padded(means.masked_fill(~like.mask.unsqueeze(2), 0), like.mask)


def peer_pooled(sequence: Padded, length: int) -> Padded:
    """The sequence (B, T, D) at `length` steps as MMSA's AlignSubNet brings it there.

    The last step is repeated until T is a multiple of `length`, and step i is the mean of the steps
    i, i + length, i + 2 length …: not of neighbours, and padding counts.
    """
    values = sequence.values
    times = -(-values.shape[1] // length)
    missing = times * length - values.shape[1]
    filled = torch.cat((values, values[:, -1:].expand(-1, missing, -1)), dim=1)
    means = filled.reshape(len(values), times, length, -1).mean(1)
    return Padded(means, torch.ones(means.shape[:2], dtype=torch.bool, device=means.device))


def aligned(sequence: Padded, text: Padded, align: Align) -> Padded:
    """The sequence at the steps of the text; for ``peer`` at those of the longest text beside it."""
    if align == "peer":
        return peer_pooled(sequence, text.mask.shape[1])
    return pooled(sequence, text)


def unaligned(text: Padded, **others: Padded) -> None:
    """Checks that every sequence has the text's steps.

    Raises:
        ValueError: one has others.
    """
    for view, sequence in others.items():
        if sequence.mask.shape != text.mask.shape:
            found = f"{sequence.mask.shape[1]} steps of {view} beside {text.mask.shape[1]} of text"
            raise ValueError(f"expected aligned modalities, given {found}")
