"""What recurrent networks know at the end of a sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.nn.sequence import LastState

if TYPE_CHECKING:
    from harness.types import Padded


class FinalStates(nn.Module):
    """`LastState`, or two of them: (B, T, D) to (B, width).

    With `both_ways` a second LSTM reads from the last existing step to the first, and its last state is
    beside that of the first: (B, 2 width).
    """

    def __init__(self, width_in: int, width: int, *, both_ways: bool = False) -> None:
        super().__init__()
        self.forwards = LastState(width_in, width)
        self.backwards = LastState(width_in, width) if both_ways else None
        self.width = width * (2 if both_ways else 1)

    def forward(self, sequence: Padded) -> Tensor:
        """The last states of each clip; an empty sequence counts as one zero step."""
        found: Tensor = self.forwards(sequence)
        if self.backwards is None:
            return found
        return torch.cat((found, self.backwards(_turned(sequence))), dim=1)


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


def _turned(sequence: Padded) -> Padded:
    """The existing steps from the last to the first."""
    values = sequence.values
    last = (sequence.lengths - 1).clamp(min=0).unsqueeze(1)
    order = (last - torch.arange(values.shape[1], device=values.device)).clamp(min=0)
    turned = values.gather(1, order.unsqueeze(2).expand_as(values))
    return replace(sequence, values=turned.masked_fill(~sequence.mask.unsqueeze(2), 0))
