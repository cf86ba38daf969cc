"""AdamW over a training step, in groups that learn and decay at rates of their own."""

from __future__ import annotations

from torch import nn
from torch.optim import AdamW

from harness.contracts import ScalesRates
from harness.engine.opponents import opponents_parameters
from harness.engine.training_step import Learner, TrainingStep


def adamw(step: TrainingStep) -> AdamW:
    """The optimiser; every group holds its peak learning rate as ``peak``.

    Weights decay, biases and norms (one dimension) do not. A model that scales its rates has a group
    a scale; the parameters of losses learn at the rate of the trial they belong to, but for opponents,
    which have an optimiser of their own.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    learners = [step.learner] if step.teacher_learner is None else [step.learner, step.teacher_learner]
    for learner in learners:
        optimisation = learner.spec.optimisation
        for scale, parameter in _scaled(learner):
            decay = optimisation.weight_decay if parameter.ndim >= 2 else 0.0
            groups.setdefault((scale * optimisation.learning_rate, decay), []).append(parameter)
    # One kernel a group instead of a dozen small ones a tensor: half the time on small models.
    return AdamW(
        [
            {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
            for (peak, decay), parameters in groups.items()
        ],
        fused=True,
    )


def _scaled(learner: Learner) -> list[tuple[float, nn.Parameter]]:
    model = learner.model
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    scales = [model.rate_scale(name) if isinstance(model, ScalesRates) else 1.0 for name, _ in named]
    found = [(scale, parameter) for scale, (_, parameter) in zip(scales, named, strict=True)]
    apart = {id(parameter) for parameter in opponents_parameters(learner)}
    return found + [(1.0, own) for own in learner.terms.parameters() if id(own) not in apart]
