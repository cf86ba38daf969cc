"""An LSTM over steps whose inputs are already projected, with a state and a cell for each step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable


def lstm(gates: Tensor, recurrent: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden states and cells (B, T, H) of an LSTM that starts with zeros.

    Args:
        gates: (B, T, 4H) what the inputs and biases add to the input, forget, cell and output gate of
            each step, in this order.
        recurrent: (4H, H) what the hidden state before a step is multiplied with.

    In the precision of the weights, whatever autocast says. Where there is one step, no state came
    before: the recurrent weights take no part, and have a gradient of zero.
    """
    if gates.shape[1] == 1:
        return _first(gates.to(recurrent.dtype) + nothing_of(recurrent))
    with torch.autocast(gates.device.type, enabled=False):
        hidden, cells = _LSTM.apply(gates.to(recurrent.dtype).transpose(0, 1), recurrent)
    return hidden.transpose(0, 1), cells.transpose(0, 1)


def nothing_of(weight: Tensor) -> Tensor:
    """A zero that hangs on the weight (n, m): a gradient of zero where there would be none.

    Optimisers leave weights without a gradient alone, and several devices wait for it in vain.
    """
    return 0 * weight[0, 0]


def _first(gates: Tensor) -> tuple[Tensor, Tensor]:
    enters, _, new, leaves = gates.chunk(4, dim=2)
    cells = enters.sigmoid() * new.tanh()
    return leaves.sigmoid() * cells.tanh(), cells


class _LSTM(Function):
    """Steps in one node of the graph: the slope of the weights is one product over all steps.

    Autograd would add up one product a step, and keep five intermediate values of each.
    """

    @staticmethod
    def forward(ctx: Any, gates: Tensor, recurrent: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states and cells (T, B, H) of gates (T, B, 4H)."""
        active = gates.clone(memory_format=torch.contiguous_format)
        width = recurrent.shape[1]
        hidden = active.new_empty(*active.shape[:2], width)
        cells = torch.empty_like(hidden)
        for step, now in enumerate(active.unbind(0)):
            if step:
                torch.addmm(now, hidden[step - 1], recurrent.t(), out=now)
            now[:, : 2 * width].sigmoid_()
            now[:, 2 * width : 3 * width].tanh_()
            now[:, 3 * width :].sigmoid_()
            enters, stays, new, leaves = now.chunk(4, dim=1)
            torch.mul(enters, new, out=cells[step])
            if step:
                cells[step].addcmul_(stays, cells[step - 1])
            torch.mul(leaves, cells[step].tanh(), out=hidden[step])
        ctx.save_for_backward(active, hidden, cells, recurrent)
        return hidden, cells

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_hidden: Tensor, of_cells: Tensor) -> tuple[Tensor, Tensor]:
        """Slopes of gates and recurrent weights, from those of hidden states and cells."""
        active, hidden, cells, recurrent = ctx.saved_tensors
        stays, leaves = active.chunk(4, dim=2)[1::2]
        squashed = cells.tanh()
        through = leaves * (1 - squashed.square())
        slopes = _local_slopes(active, cells, squashed)
        carried = carried_cell = torch.zeros_like(hidden[0])
        for step in reversed(range(len(hidden))):
            upon_hidden = of_hidden[step] + carried
            upon_cell = torch.addcmul(of_cells[step] + carried_cell, upon_hidden, through[step])
            slopes[step, :, :3] *= upon_cell.unsqueeze(1)
            slopes[step, :, 3] *= upon_hidden
            carried_cell = upon_cell * stays[step]
            if step:
                carried = slopes[step].flatten(1) @ recurrent
        found = slopes.flatten(2)
        return found, found[1:].flatten(0, 1).t() @ hidden[:-1].flatten(0, 1)


def _local_slopes(active: Tensor, cells: Tensor, squashed: Tensor) -> Tensor:
    """(T, B, 4, H) of the cell (of the hidden state for the last) by what each gate is made of."""
    enters, stays, new, leaves = active.chunk(4, dim=2)
    before = torch.cat((torch.zeros_like(cells[:1]), cells[:-1]))
    return torch.stack(
        (
            new * enters * (1 - enters),
            before * stays * (1 - stays),
            enters * (1 - new.square()),
            squashed * leaves * (1 - leaves),
        ),
        dim=2,
    )
