"""Attention transfer: where along a clip the states are strong."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.nn.compare.geometry import precise, units
from harness.registry import LOSSES
from harness.spec import FloatSpace, IntSpace, LossConfig, OutputName
from harness.types import Batch, DataInfo, Outputs, Padded


class AttentionTransferConfig(LossConfig):
    """How an attention map is made of a sequence of states."""

    needs: ClassVar[frozenset[OutputName]] = frozenset({"hidden"})
    advice: ClassVar[frozenset[OutputName]] = frozenset({"hidden"})

    positions: int = Field(8, ge=2, description="equal stretches that both sequences are cut into")
    power: float = Field(2.0, ge=1, description="p of |A|^p; higher attends to the strongest channels")


@LOSSES.register(
    "attention_transfer",
    config=AttentionTransferConfig,
    paper="Zagoruyko and Komodakis, ICLR 2017, arXiv 1612.03928, equation 2",
    tiny={"positions": 2},
    space={
        "weight": FloatSpace(low=1, high=1000, log=True),
        "positions": IntSpace(low=2, high=16, log=True),
        "power": FloatSpace(low=1, high=4),
    },
)
class AttentionTransfer(nn.Module):
    """The squared distance of both sides' attention maps Q / |Q|, Q_t = sum over channels of |A_t|^p.

    The states A are `hidden`; the paper's factor beta / 2 is the loss's weight. Words and frames do
    not correspond step by step: the maps of both are averaged over `positions` equal stretches of the
    clip's existing steps before they are normalised, so what is compared is early, middle and late.
    The norm is squared, which keeps its gradient finite where the maps agree. A clip whose states are
    all zero has a map of zeros. States fresh from a layer normalisation are equally long: for them
    power 2, the paper's, sees an even map and teaches next to nothing, and another power is needed.
    """

    def __init__(self, config: AttentionTransferConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> Tensor:
        """A scalar in [0, 2] from hidden (B, T, D) and the teacher's hidden (B, T', D')."""
        if advice is None:
            raise ValueError("attention_transfer compares hidden states, and no advice was given")
        difference = self._map(outputs.hidden) - self._map(advice.hidden).detach()
        return difference.square().sum(1).mean()

    def _map(self, hidden: Padded | None) -> Tensor:
        """(B, positions) the map of each clip, of length one."""
        if hidden is None:
            raise ValueError("attention_transfer compares hidden states, and one side gives none")
        strength = precise(hidden.values).abs().pow(self.config.power).sum(2)
        return units(stretch_means(strength, hidden.lengths, self.config.positions))


def stretch_means(values: Tensor, lengths: Tensor, count: int) -> Tensor:
    """(B, count) means of values (B, T) over equal stretches of each sequence's existing steps.

    A step on the border of two stretches counts in both by its share, so a sequence shorter than
    `count` is stretched, and the mean over the stretches is the mean over the steps. An empty sequence
    has means of zero.
    """
    size = lengths.to(values.dtype).view(-1, 1, 1) / count
    begin = torch.arange(count, device=values.device).view(1, -1, 1) * size
    step = torch.arange(values.shape[1], device=values.device)
    inside = torch.minimum(begin + size, step + 1) - torch.maximum(begin, step)
    shares = inside.clamp(min=0) / size.masked_fill(size == 0, 1)
    return (shares * values.unsqueeze(1)).sum(2)
