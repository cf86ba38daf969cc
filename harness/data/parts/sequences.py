"""Sequences of different lengths, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.types import Padded


def pad(sequences: Sequence[Tensor]) -> Padded:
    """Sequences (T_i, ...) as one tensor, zeros at the end of the shorter ones."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    values = torch.nn.utils.rnn.pad_sequence(list(sequences), batch_first=True)
    return Padded(values, steps(lengths, values.shape[1]))


def steps(lengths: Tensor, longest: int) -> Tensor:
    """(B, longest) bool, True for the first lengths[b] steps of row b."""
    return torch.arange(longest)[None, :] < lengths[:, None]
