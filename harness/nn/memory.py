"""Memory fusion: LSTMs side by side, what changes in them, and a gated memory of it.

Letters: B clips, T steps, D features, H width of a state, M width of the memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from harness.nn.recurrence import lstm

if TYPE_CHECKING:
    from harness.types import Padded


@dataclass(frozen=True)
class Inner:
    """The hidden layer of a network of two layers: its width, and the dropout after it."""

    width: int
    dropout: float = 0.0


def two_layers(width_in: int, inner: Inner, width: int) -> nn.Sequential:
    """Linear, ReLU, dropout, linear: (..., width_in) to (..., width)."""
    return nn.Sequential(
        nn.Linear(width_in, inner.width),
        nn.ReLU(),
        nn.Dropout(inner.dropout),
        nn.Linear(inner.width, width),
    )


class LSTMStates(nn.Module):
    """What an LSTM holds after every step: (B, T, D) to hidden states and cells, (B, T, H) each.

    `nn.LSTM` tells all cells but the last to nobody. A step depends on earlier ones only, so that
    padding behind a sequence does not change its states.
    """

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(width_in, width)

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states and cells, both zero before the first step."""
        cell = self.cell
        return lstm(linear(values, cell.weight_ih, cell.bias_ih + cell.bias_hh), cell.weight_hh)


def deltas(states: Tensor) -> Tensor:
    """(B, T, 2H) each step's state behind that of the step before it, which is zero before the first."""
    before = torch.cat((torch.zeros_like(states[:, :1]), states[:, :-1]), dim=1)
    return torch.cat((before, states), dim=2)


def existing(*sequences: Padded) -> Tensor:
    """(B, T) whether a step exists in any of the aligned sequences."""
    return torch.stack([sequence.mask for sequence in sequences]).any(0)


def at_end(states: Tensor, mask: Tensor) -> Tensor:
    """(B, H) the states (B, T, H) after the last existing step of each clip; zero if there is none."""
    count = mask.sum(1)
    rows = torch.arange(len(states), device=states.device)
    last = states[rows, (count - 1).clamp(min=0)]
    return last.masked_fill((count == 0).unsqueeze(1), 0)


@dataclass(frozen=True)
class MemorySizes:
    """Sizes of a gated memory, and what its gates read.

    Attributes:
        memory: M.
        proposal, retain, update: hidden layers of the networks of these names.
        gates_read_memory: whether the gates read the memory beside the step's input.
    """

    memory: int
    proposal: Inner
    retain: Inner
    update: Inner
    gates_read_memory: bool


class GatedMemory(nn.Module):
    """The multi-view gated memory of arXiv 1802.00927: (B, T, D) to (B, T, M), a state a step.

    u_t = γ1 ⊙ u_{t-1} + γ2 ⊙ tanh(D_u(x_t)) from u_0 = 0. The gates γ1 (retain) and γ2 (update) are
    networks of x_t behind a logistic function; they may read u_{t-1} too.
    """

    def __init__(self, width_in: int, sizes: MemorySizes) -> None:
        super().__init__()
        self.width = sizes.memory
        self.gates_read_memory = sizes.gates_read_memory
        read = width_in + self.width if self.gates_read_memory else width_in
        self.proposal = two_layers(width_in, sizes.proposal, self.width)
        self.retain = two_layers(read, sizes.retain, self.width)
        self.update = two_layers(read, sizes.update, self.width)

    def forward(self, inputs: Tensor) -> Tensor:
        """The memory after every step."""
        proposal = self.proposal(inputs).tanh()
        if self.gates_read_memory:
            return self._with_gates_of_memory(inputs, proposal)
        kept = self.retain(inputs).sigmoid().unbind(1)
        added = (self.update(inputs).sigmoid() * proposal).unbind(1)
        memory = [added[0]]
        for share, new in zip(kept[1:], added[1:], strict=True):
            memory.append(torch.addcmul(new, share, memory[-1]))
        return torch.stack(memory, dim=1)

    def _with_gates_of_memory(self, inputs: Tensor, proposal: Tensor) -> Tensor:
        gates = [_AheadGate(gate, inputs) for gate in (self.retain, self.update)]
        memory = [torch.zeros_like(proposal[:, 0])]
        for step, new in enumerate(proposal.unbind(1)):
            kept, added = (gate.at(step, memory[-1]) for gate in gates)
            memory.append(kept * memory[-1] + added * new)
        return torch.stack(memory[1:], dim=1)


class _AheadGate:
    """A gate whose first layer has read all inputs (B, T, D), and lacks the part of the memory."""

    def __init__(self, gate: nn.Sequential, inputs: Tensor) -> None:
        first = gate[0]
        width = inputs.shape[2]
        of_input, self.of_memory = first.weight.split([width, first.in_features - width], dim=1)
        self.inner = linear(inputs, of_input, first.bias).unbind(1)
        self.rest = gate[1:]

    def at(self, step: int, memory: Tensor) -> Tensor:
        """(B, M) the gate of a step that begins with this memory (B, M)."""
        found: Tensor = self.rest(self.inner[step] + linear(memory, self.of_memory))
        return found.sigmoid()


class SystemOfLSTMs(nn.ModuleDict):
    """An LSTM a view: the sequences of all views to their hidden states and cells."""

    def __init__(self, widths_in: Mapping[str, int], widths: Mapping[str, int]) -> None:
        super().__init__({view: LSTMStates(widths_in[view], width) for view, width in widths.items()})

    def forward(self, sequences: Mapping[str, Padded]) -> tuple[list[Tensor], list[Tensor]]:
        """Hidden states and cells (B, T, H of the view), in the views' order."""
        found = [lstm_of(sequences[view].values) for view, lstm_of in self.items()]
        return [hidden for hidden, _ in found], [cells for _, cells in found]


class MemoryFusion(nn.Module):
    """Aligned sequences to one vector (B, ΣH + M): the last state of each view, and of the memory.

    arXiv 1802.00927: a softmax over all dimensions of the cells at steps t-1 and t says what of them
    is looked at (delta-memory attention), and a gated memory keeps it. After the last existing step
    of a clip nothing changes any more.
    """

    def __init__(
        self,
        widths_in: Mapping[str, int],
        widths: Mapping[str, int],
        attention: Inner,
        sizes: MemorySizes,
    ) -> None:
        super().__init__()
        total = sum(widths.values())
        self.lstms = SystemOfLSTMs(widths_in, widths)
        self.attention = two_layers(2 * total, attention, 2 * total)
        self.memory = GatedMemory(2 * total, sizes)
        self.width = total + sizes.memory

    def forward(self, sequences: Mapping[str, Padded]) -> Tensor:
        """The fused vector of each clip."""
        hidden, cells = self.lstms(sequences)
        changes = deltas(torch.cat(cells, dim=2))
        attended = self.attention(changes).softmax(2) * changes
        states = torch.cat((*hidden, self.memory(attended)), dim=2)
        return at_end(states, existing(*sequences.values()))
