"""The loss terms of a model: what each is handed, and what it weighs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from harness.contracts import Adapts
from harness.engine.seeds import seed_world
from harness.registry import LOSSES
from harness.spec import LossTerm, TrialSpec, VariantRef
from harness.types import Batch, DataInfo, Outputs

EXAMPLES = 2
"""Clips that a loss sees to learn the widths of outputs."""


@dataclass(frozen=True)
class Weighted:
    """A loss, its weight in the sum, and whether it reads labels."""

    term: LossTerm
    loss: nn.Module
    reads_labels: bool

    def weight(self, epochs: float) -> float:
        """The weight after so many epochs, whole or not."""
        rise = epochs / self.term.warmup_epochs if self.term.warmup_epochs else 1.0
        return self.term.weight * min(1.0, rise)


class Terms(nn.Module):
    """Every loss of one model, as a module, because a loss may have parameters of its own."""

    def __init__(self, weighted: Mapping[str, Weighted]) -> None:
        super().__init__()
        self.losses = nn.ModuleDict({name: term.loss for name, term in weighted.items()})
        self.weighted = dict(weighted)

    def forward(self, outputs: Outputs, batch: Batch, advice: Outputs | None) -> dict[str, Tensor]:
        """Every term, not weighted, by name; a term that reads labels is over the labelled clips.

        A batch without any labelled clip has no such term.
        """
        given = (outputs, batch, advice)
        labelled = given if batch.labelled is None else _labelled(*given)
        found = {}
        for name, weighted in self.weighted.items():
            seen = labelled if weighted.reads_labels else given
            if seen is not None:
                found[name] = self.losses[name](*seen)
        return found

    def total(self, found: Mapping[str, Tensor], epochs: float) -> Tensor:
        """The sum, weighted as it is after so many epochs."""
        return torch.stack(
            [self.weighted[name].weight(epochs) * term for name, term in found.items()]
        ).sum()

    def clips(self, name: str, batch: Batch) -> int:
        """How many clips of the batch a term is the mean over."""
        reads_part = self.weighted[name].reads_labels and batch.labelled is not None
        return int(batch.labelled.sum()) if reads_part and batch.labelled is not None else len(batch)


def build_terms(spec: TrialSpec, info: DataInfo) -> Terms:
    """The losses of a trial, as its spec names them."""
    weighted = {}
    for name, term in spec.losses.items():
        ref = VariantRef.model_validate({"name": name, **term.params})
        reads_labels = LOSSES.get(name).config.labels
        weighted[name] = Weighted(term, LOSSES.build(ref, info), reads_labels)
    return Terms(weighted)


def adapt(terms: Terms, outputs: Outputs, advice: Outputs | None, clips: Batch, seed: int) -> None:
    """Makes the parameters and memories of losses that have some, from a stream of their own."""
    for name, loss in terms.losses.items():
        if isinstance(loss, Adapts):
            seed_world(seed, f"loss/{name}")
            loss.adapt(outputs, advice, clips)


def _labelled(
    outputs: Outputs, batch: Batch, advice: Outputs | None
) -> tuple[Outputs, Batch, Outputs | None] | None:
    if batch.labelled is None or batch.labelled.all():
        return outputs, batch, advice
    rows = batch.labelled.nonzero().squeeze(1)
    if not len(rows):
        return None
    return outputs.take(rows), batch.take(rows), advice.take(rows) if advice is not None else None
