"""What recurrent networks know at the end of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from harness.types import Padded


class FinalStates(nn.Module):
    """The hidden state of an LSTM at the last existing step: (B, T, D) to (B, width).

    With `both_ways` a second LSTM reads from the last existing step to the first, and its last state is
    beside that of the first: (B, 2 width). The padding behind a sequence is read too, but after its
    state was taken: where lengths differ, that is several times faster than packing the sequences.
    """

    def __init__(self, width_in: int, width: int, *, both_ways: bool = False) -> None:
        super().__init__()
        self.forwards = nn.LSTM(width_in, width, batch_first=True)
        self.backwards = nn.LSTM(width_in, width, batch_first=True) if both_ways else None
        self.width = width * (2 if both_ways else 1)

    def forward(self, sequence: Padded) -> Tensor:
        """The last states of each clip; an empty sequence counts as one zero step."""
        last = (sequence.lengths - 1).clamp(min=0)
        found = _state_at(self.forwards, sequence.values, last)
        if self.backwards is None:
            return found
        return torch.cat((found, _state_at(self.backwards, _turned(sequence.values, last), last)), dim=1)


class ProjectedStates(nn.Module):
    """`FinalStates` through a linear layer: (B, T, D) to (B, width)."""

    def __init__(self, width_in: int, states: int, width: int, *, both_ways: bool = False) -> None:
        super().__init__()
        self.states = FinalStates(width_in, states, both_ways=both_ways)
        self.linear = nn.Linear(self.states.width, width)
        self.width = width

    def forward(self, sequence: Padded) -> Tensor:
        """The vector of each clip."""
        return self.linear(self.states(sequence))


def _state_at(lstm: nn.LSTM, values: Tensor, step: Tensor) -> Tensor:
    states, _ = lstm(values)
    return states[torch.arange(len(states), device=states.device), step]


def _turned(values: Tensor, last: Tensor) -> Tensor:
    """The steps from `last` to the first, and what comes after them arbitrary."""
    steps = torch.arange(values.shape[1], device=values.device)
    order = (last.unsqueeze(1) - steps).clamp(min=0)
    return values.gather(1, order.unsqueeze(2).expand_as(values))
