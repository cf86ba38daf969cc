"""From a sequence of states to one vector a clip; padding does not count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from harness.types import Padded

PoolingName = Literal["cls", "mean", "attention"]


class FirstState(nn.Module):
    """The state of the first step, (B, T, D) to (B, D): BERT's pooling, arXiv 1810.04805."""

    def forward(self, states: Padded) -> Tensor:
        """The vector of each clip."""
        return states.values[:, 0]


class MeanOfStates(nn.Module):
    """The mean over existing steps, (B, T, D) to (B, D): Sentence-BERT's pooling, arXiv 1908.10084."""

    def forward(self, states: Padded) -> Tensor:
        """The vector of each clip."""
        return states.mean()


class AttentionOverStates(nn.Module):
    """A mean weighted by a learned query q: softmax over existing steps of h · q / sqrt(D).

    Yang et al. 2016, doi 10.18653/v1/N16-1174, equations 5 to 7, without the layer before the query.
    The query starts at zero, so that the vector starts as the mean; an empty sequence gives zero.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))

    def forward(self, states: Padded) -> Tensor:
        """The vector (B, D) of each clip."""
        return (self.shares(states).unsqueeze(2) * states.values).sum(1)

    def shares(self, states: Padded) -> Tensor:
        """(B, T) what each step contributes; they sum to one over existing steps, zero elsewhere."""
        logits = states.values @ self.query / states.width**0.5
        # The lowest number, not minus infinity: a softmax over nothing would not be a number.
        lowest = torch.finfo(logits.dtype).min
        shares = logits.masked_fill(~states.mask, lowest).softmax(1)
        return shares.masked_fill(~states.mask, 0)


def pooling(name: PoolingName, width: int) -> nn.Module:
    """The pooling of that name for states of D = `width`, from `Padded` (B, T, D) to (B, D)."""
    if name == "attention":
        return AttentionOverStates(width)
    return FirstState() if name == "cls" else MeanOfStates()
