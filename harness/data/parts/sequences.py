"""Sequences of different lengths, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from harness.types import Batch, Padded


def pad(sequences: Sequence[Tensor]) -> Padded:
    """Sequences (T_i, ...) as one tensor, zeros at the end of the shorter ones."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    values = torch.nn.utils.rnn.pad_sequence(list(sequences), batch_first=True)
    return Padded(values, steps(lengths, values.shape[1]))


def longest(batches: Iterable[Batch], view: str) -> int:
    """T of the longest sequence of a view in any of the batches, at least 1."""
    return max(1, *(int(getattr(batch, view).mask.sum(1).max()) for batch in batches))


def aligned(batches: Iterable[Batch], views: Sequence[str]) -> bool:
    """Whether each clip has as many steps in every one of the views."""
    return all(
        bool((getattr(batch, view).lengths == getattr(batch, views[0]).lengths).all())
        for batch in batches
        for view in views[1:]
    )


def steps(lengths: Tensor, longest: int) -> Tensor:
    """(B, longest) bool, True for the first lengths[b] steps of row b."""
    return torch.arange(longest)[None, :] < lengths[:, None]
