"""Encoders from a padded sequence to one vector, shared by baselines and feature routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.nn.utils.rnn import pack_padded_sequence

if TYPE_CHECKING:
    from harness.types import Padded


class LastState(nn.Module):
    """The last hidden state of a one-layer LSTM over the existing steps: (B, T, D) to (B, width)."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width_in, width, batch_first=True)

    def forward(self, sequence: Padded) -> Tensor:
        """The state after the last existing step; an empty sequence counts as one zero step."""
        lengths = sequence.lengths.clamp(min=1).cpu()
        packed = pack_padded_sequence(sequence.values, lengths, batch_first=True, enforce_sorted=False)
        _, (state, _) = self.lstm(packed)
        return state[-1]


class MeanState(nn.Module):
    """A feed-forward net on the mean over existing steps: (B, T, D) to (B, width).

    The sub-network that LF-DNN and TFN use for modalities that are averaged over time: input
    normalisation by batch, then three layers.
    """

    def __init__(self, width_in: int, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width_in)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            [nn.Linear(width_in, width), nn.Linear(width, width), nn.Linear(width, width)]
        )

    def forward(self, sequence: Padded) -> Tensor:
        """The vector of each clip."""
        state = self.dropout(self._normalised(sequence.mean()))
        for layer in self.layers:
            state = torch.relu(layer(state))
        return state

    def _normalised(self, means: Tensor) -> Tensor:
        if len(means) > 1:
            return self.norm(means)
        # One clip has no variance: a last batch of one is normalised as in evaluation.
        norm = self.norm
        return batch_norm(
            means, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )
