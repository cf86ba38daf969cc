"""A recurrent encoder of which a convolution opens and shuts each step.

Letters: B clips, T steps, D features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from harness.types import Padded


class GatedEncoder(nn.Module):
    """A vector of a sequence, (B, T, D) to (B, width).

    Yuan et al. 2021, doi 10.1145/3474085.3475585, the gated encoder of its fusion: h = BiGRU(x),
    g = sigmoid(Conv(h)) one number a step, and the greatest of tanh(W [x; g tanh(h)] + b) over
    existing steps, number by number.
    """

    def __init__(self, width_in: int, width: int, layers: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width_in, width, layers, batch_first=True, bidirectional=True)
        self.gate = nn.Conv1d(2 * width, 1, 3, padding=1)
        self.linear = nn.Linear(width_in + 2 * width, width)

    def forward(self, sequence: Padded) -> Tensor:
        """The vector of each clip, which has at least one step."""
        states = self._states(sequence)
        gate = torch.sigmoid(self.gate(states.transpose(1, 2))).transpose(1, 2)
        found = torch.tanh(self.linear(torch.cat((sequence.values, gate * torch.tanh(states)), dim=2)))
        return found.masked_fill(~sequence.mask.unsqueeze(2), -torch.inf).amax(1)

    def _states(self, sequence: Padded) -> Tensor:
        if sequence.mask.all():
            return self.gru(sequence.values)[0]
        lengths = sequence.lengths.cpu()
        packed = pack_padded_sequence(sequence.values, lengths, batch_first=True, enforce_sorted=False)
        steps = sequence.mask.shape[1]
        return pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=steps)[0]
