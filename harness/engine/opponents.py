"""Losses with an opponent: the second optimiser, and its step before each of the model's."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.optim import AdamW, Optimizer

from harness.contracts import Opposes
from harness.engine.training_step import Learner, TrainingStep
from harness.types import Batch, Outputs


class Diverged(ArithmeticError):
    """A loss term or the gradient stopped being a number."""


def opponents(learner: Learner) -> dict[str, Opposes]:
    """The losses of a learner that have an opponent, by name."""
    return {name: loss for name, loss in learner.terms.losses.items() if isinstance(loss, Opposes)}


def opponents_parameters(learner: Learner) -> list[nn.Parameter]:
    """The parameters that the learner's own optimiser leaves alone."""
    return [parameter for loss in opponents(learner).values() for parameter in loss.opponent()]


def opponents_adamw(step: TrainingStep) -> AdamW | None:
    """The optimiser of all opponents, each at the rate of its trial; None where there are none."""
    learners = [step.learner] if step.teacher_learner is None else [step.learner, step.teacher_learner]
    groups = []
    for learner in learners:
        rate, decay = learner.spec.optimisation.learning_rate, learner.spec.optimisation.weight_decay
        if own := opponents_parameters(learner):
            groups.append({"params": own, "lr": rate, "peak": rate, "weight_decay": decay})
    return AdamW(groups, fused=True) if groups else None


class Opponents:
    """Makes the opponents' step on outputs of the model that are not yet backward through."""

    def __init__(self, fabric: Fabric, optimiser: Optimizer) -> None:
        self.fabric = fabric
        self.optimiser = optimiser

    def step(self, losses: Iterable[tuple[str, Opposes]], outputs: Outputs, batch: Batch) -> None:
        """One step down the sum of the opponents' own losses.

        Raises:
            Diverged: an opponent's loss is no number.
        """
        outputs = outputs.detach()
        total = torch.zeros((), device=self.fabric.device)
        for name, loss in losses:
            value = loss.opponent_loss(outputs, batch)
            if not math.isfinite(float(value.detach())):
                raise Diverged(f"the opponent of '{name}' has a loss of {float(value.detach())}")
            total = total + value
        self.optimiser.zero_grad()
        self.fabric.backward(total)
        self.optimiser.step()
        # In mixed precision the model would be trained against a copy of the opponent before its step.
        torch.clear_autocast_cache()
