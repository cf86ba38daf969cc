"""Sequences made shorter: even samples, and averages over stretches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from harness.spec import BadInput
from harness.types import Padded


def take_evenly(sequence: Padded, count: int, ids: tuple[str, ...]) -> Padded:
    """The middle step of each of `count` stretches of equal length, (B, count, ...).

    Of n existing steps those at floor((i + 1/2) n / count), i = 0 … count - 1.

    Args:
        sequence: (B, T, ...) with n >= `count` existing steps each.
        count: how many are taken, >= 1.
        ids: B clip ids, for the message.

    Raises:
        BadInput: a clip has fewer than `count` steps: none would be repeated in silence.
    """
    lengths = sequence.lengths
    short = torch.nonzero(lengths < count).flatten().tolist()
    if short:
        raise BadInput(
            f"expected at least {count} frames a clip, found {int(lengths[short[0]])} in "
            f"'{ids[short[0]]}'; of n frames those at floor((i + 1/2) n / {count}) are taken",
            key="frames_used",
        )
    number = torch.arange(count, device=lengths.device)
    chosen = (2 * number + 1) * lengths.unsqueeze(1) // (2 * count)
    rows = torch.arange(len(lengths), device=lengths.device).unsqueeze(1)
    return Padded(sequence.values[rows, chosen], sequence.mask.new_ones(chosen.shape))


def average_stretches(sequence: Padded, count: int) -> Padded:
    """Averages over `count` stretches of nearly equal length, (B, min(T, count), D).

    Step t of n belongs to stretch floor(t count / n); a sequence of at most `count` steps is kept as
    it is, nothing repeated.
    """
    lengths = sequence.lengths.unsqueeze(1)
    step = torch.arange(sequence.mask.shape[1], device=lengths.device)
    stretch = torch.where(lengths > count, step * count // lengths.clamp(min=1), step)
    shown = min(count, sequence.mask.shape[1])
    member = one_hot(stretch.clamp(max=shown - 1), shown) * sequence.mask.unsqueeze(2)
    size = member.sum(1)
    total = member.transpose(1, 2).to(sequence.values.dtype) @ sequence.values
    return Padded(total / size.clamp(min=1).unsqueeze(2), size > 0)


def without_padding(sequence: Padded) -> Padded:
    """The same sequences without the steps that none of them has, for which there may be no position."""
    longest = max(1, int(sequence.lengths.max()))
    return Padded(sequence.values[:, :longest], sequence.mask[:, :longest])


def spread(existing: Tensor, mask: Tensor) -> Tensor:
    """(B, T, ...) with the rows of `existing` (n, ...) where the mask (B, T) is True, zero elsewhere."""
    return existing.new_zeros(*mask.shape, *existing.shape[1:]).index_put((mask,), existing)
