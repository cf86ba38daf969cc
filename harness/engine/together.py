"""How the devices of a trial make one step of their shares of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from harness.engine.training_step import Clips, TrainingStep


@dataclass(frozen=True)
class Together:
    """Makes the gradient of a step that of the whole batch, however the batch is cut.

    A term is the mean over its clips: those of the batch, or the labelled ones. With c of its C clips
    in this share, and the mean m over them, the batch's mean is the sum over the n devices of
    c / C · m. Devices average their gradients, so each goes backward from n · c / C · m. That is exact
    for shares of different sizes. What a model draws while it trains, such as dropout, is another
    draw than one device would make.

    On one device everything here hands back what it is given, to the bit.
    """

    fabric: Fabric
    step: TrainingStep

    def stream(self, purpose: str) -> str:
        """The name of this device's random stream: clips of two devices must not drop the same units."""
        rank = self.fabric.global_rank
        return f"{purpose}/device/{rank}" if rank else purpose

    def share(self, index: Tensor) -> Tensor:
        """This device's clips of a batch, sizes differing by one; if there are none, a guest."""
        if self._is_alone:
            return index
        own = index.tensor_split(self.fabric.world_size)[self.fabric.global_rank]
        return own if len(own) else index[:1]

    def is_guest(self, index: Tensor) -> bool:
        """Whether a batch is too small for this device to have a clip of its own."""
        return len(index) <= self.fabric.global_rank

    def counts(self, clips: Clips) -> dict[str, int]:
        """C: how many clips of the whole batch each term is the mean over; terms without any are out."""
        own = torch.tensor([self.step.clips(name, clips) for name in self.step.names])
        whole = own if self._is_alone else self._sum(own)
        return {
            name: count for name, count in zip(self.step.names, whole.tolist(), strict=True) if count
        }

    def values(
        self, terms: Mapping[str, Tensor], clips: Clips, whole: Mapping[str, int]
    ) -> dict[str, float]:
        """Every term's mean over the whole batch."""
        if self._is_alone:
            return {name: float(term.detach()) for name, term in terms.items()}
        means = [float(terms[name].detach()) * self.step.clips(name, clips) for name in whole]
        sums = self._sum(torch.tensor(means, dtype=torch.float64)).tolist() if means else []
        return {name: value / whole[name] for name, value in zip(whole, sums, strict=True)}

    def weighed(
        self, terms: Mapping[str, Tensor], clips: Clips, whole: Mapping[str, int]
    ) -> Mapping[str, Tensor]:
        """Every term times n · c / C."""
        if self._is_alone:
            return terms
        devices = self.fabric.world_size
        return {
            name: term * (devices * self.step.clips(name, clips) / whole[name])
            for name, term in terms.items()
        }

    @property
    def _is_alone(self) -> bool:
        return bool(self.fabric.world_size == 1)

    def _sum(self, values: Tensor) -> Tensor:
        return self.fabric.all_reduce(values.to(self.fabric.device), reduce_op="sum").cpu()
