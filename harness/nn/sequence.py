"""Encoders from a padded sequence to one vector, shared by baselines and feature routes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, linear
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from harness.nn.dropout import BitDropout
from harness.nn.recurrence import nothing_of

if TYPE_CHECKING:
    from harness.types import Padded


class LastState(nn.Module):
    """The last state of an LSTM over the existing steps: (B, T, D) to (B, width).

    Layers are stacked with dropout between them, and the state is that of the last one.
    """

    def __init__(self, width_in: int, width: int, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        widths = (width_in, *[width] * (layers - 1))
        self.layers = nn.ModuleList(nn.LSTM(each, width, batch_first=True) for each in widths)
        self.dropout = BitDropout(dropout)

    def forward(self, sequence: Padded) -> Tensor:
        """The state after the last existing step; an empty sequence counts as one zero step."""
        states, state = sequence.values, sequence.values
        for at, layer in enumerate(self.layers):
            states, state = _read(layer, self.dropout(states) if at else states)
        if sequence.mask.all():
            return state
        # Padding comes last and no state looks ahead, so packing would change nothing but the time.
        clips = torch.arange(len(states), device=states.device)
        return states[clips, sequence.lengths.clamp(min=1) - 1]


def _read(lstm: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    """States (B, T, width) of all steps, and that of the last one."""
    if values.shape[1] > 1:
        states, (state, _) = lstm(values)
        return states, state[0]
    # With nothing to recur on, the cell alone takes half the time.
    biases = lstm.bias_ih_l0 + lstm.bias_hh_l0 + nothing_of(lstm.weight_hh_l0)
    gates = linear(values, lstm.weight_ih_l0, biases)
    write, _, cell, show = gates.chunk(4, 2)
    states = show.sigmoid() * (write.sigmoid() * cell.tanh()).tanh()
    return states, states[:, 0]


class ProjectedState(nn.Module):
    """A linear layer on the last state of an LSTM: (B, T, D) to (B, width).

    The text sub-network of TFN (Zadeh et al. 2017, arXiv 1707.07250, section 4.1, as its authors
    published it), which LF-DNN and LMF share.
    """

    def __init__(self, width_in: int, hidden: int, width: int, dropout: float) -> None:
        super().__init__()
        self.state = LastState(width_in, hidden)
        self.dropout = BitDropout(dropout)
        self.linear = nn.Linear(hidden, width)

    def forward(self, sequence: Padded) -> Tensor:
        """The vector of each clip."""
        vector: Tensor = self.linear(self.dropout(self.state(sequence)))
        return vector


class SummedStates(nn.Module):
    """States of a GRU in both directions, summed, normalised and rectified: (B, T, D) to (B, T, width).

    Padding is not read, and is zero in the result.
    """

    def __init__(self, width_in: int, width: int, layers: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width_in, width, layers, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, sequence: Padded) -> Padded:
        """The states of each clip."""
        lengths = sequence.lengths.clamp(min=1).cpu()
        packed = pack_padded_sequence(sequence.values, lengths, batch_first=True, enforce_sorted=False)
        steps = sequence.mask.shape[1]
        states, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=steps)
        summed = states.unflatten(2, (2, -1)).sum(2)
        return replace(
            sequence, values=self.norm(summed).relu().masked_fill(~sequence.mask.unsqueeze(2), 0)
        )


class MeanState(nn.Module):
    """A feed-forward net on the mean over existing steps: (B, T, D) to (B, width).

    The sub-network that LF-DNN and TFN use for modalities that are averaged over time: input
    normalisation by batch, then three layers.
    """

    def __init__(self, width_in: int, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width_in)
        self.dropout = BitDropout(dropout)
        self.layers = nn.ModuleList(
            [nn.Linear(width_in, width), nn.Linear(width, width), nn.Linear(width, width)]
        )

    def forward(self, sequence: Padded) -> Tensor:
        """The vector of each clip."""
        # Padding is zero, so that the sum needs no mask: Padded.mean, which asks, costs six times this.
        means = sequence.values.sum(1) / sequence.lengths.clamp(min=1).unsqueeze(1)
        state = self.dropout(self._normalised(means))
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
