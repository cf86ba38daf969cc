"""How much of one vector is added to another."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Gate(nn.Module):
    """v + g u, with a gate g = sigmoid(W [v; u] + b) for each element, learned."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.openness = nn.Linear(2 * width, width)

    def forward(self, base: Tensor, added: Tensor) -> Tensor:
        """(B, D) of the base v (B, D) and what is added, u (B, D)."""
        return base + torch.sigmoid(self.openness(torch.cat((base, added), dim=1))) * added
