"""The one training loop. A method contributes a model or a loss, never a copy of this."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from harness.engine.advice import take_outputs
from harness.engine.checkpoint import Progress, load_checkpoint, save_checkpoint
from harness.engine.predict import batches, predict, score_metrics
from harness.engine.seeds import generator, seed_world
from harness.spec import METRICS, EpochRecord, Optimisation, TrialSpec
from harness.types import Batch, Outputs

OnEpoch = Callable[[int, Mapping[str, float]], None]


class Diverged(ArithmeticError):
    """A loss term or the gradient stopped being a number."""


@dataclass(frozen=True)
class Weighted:
    """A loss and its weight in the sum."""

    weight: float
    loss: nn.Module


class TrainingStep(nn.Module):
    """Model and losses as one module, so that Fabric wraps (and synchronises) both."""

    def __init__(self, model: nn.Module, terms: Mapping[str, Weighted]) -> None:
        super().__init__()
        self.model = model
        self.losses = nn.ModuleDict({name: term.loss for name, term in terms.items()})
        self.weights = {name: term.weight for name, term in terms.items()}

    def forward(self, clips: Clips) -> dict[str, Tensor]:
        """Every term, not weighted, by name."""
        outputs = self.model(clips.batch)
        return {name: loss(outputs, clips.batch, clips.advice) for name, loss in self.losses.items()}

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum."""
        return torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()


class Clips:
    """A batch and its advice. Not a dataclass: Fabric would take a frozen one apart to convert it."""

    def __init__(self, batch: Batch, advice: Outputs | None) -> None:
        self.batch = batch
        self.advice = advice


@dataclass(frozen=True)
class Job:
    """What `fit` trains on, and where it keeps its place."""

    spec: TrialSpec
    train: Batch
    valid: Batch
    advice: Outputs | None
    dtype: torch.dtype
    checkpoint: Path
    on_epoch: OnEpoch


def fit(fabric: Fabric, step: TrainingStep, job: Job) -> Progress:
    """Trains until patience or epochs run out, and leaves the selected epoch's weights in the model.

    An interrupted call continues from its checkpoint: every epoch seeds its own streams, so the
    epochs that follow are those of an uninterrupted run, bit for bit.
    """
    module, optimiser = fabric.setup(step, _adamw(step, job.spec.optimisation))
    trainer = _Trainer(fabric, module, optimiser, job)
    progress = Progress()
    if job.checkpoint.exists():
        progress, model_state, optimiser_state = load_checkpoint(job.checkpoint)
        step.load_state_dict(model_state)
        optimiser.load_state_dict(optimiser_state)
        for record in progress.records:
            job.on_epoch(record.epoch, record.metrics)
    while not _finished(progress, job.spec.optimisation):
        metrics = trainer.train(progress.epoch)
        score = predict(fabric, step.model, job.valid, job.dtype).score
        metrics |= score_metrics(job.valid, score, job.spec.protocol, "val")
        _account(progress, metrics, job.spec.optimisation.monitor, step.model)
        save_checkpoint(job.checkpoint, progress, step.state_dict(), optimiser.state_dict())
        job.on_epoch(progress.epoch - 1, metrics)
    step.model.load_state_dict(progress.best_state)
    return progress


def learning_rate_factor(step: int, steps: int, warmup: int) -> float:
    """Linear from 0 over `warmup` steps, then half a cosine down to 0 at `steps`."""
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / max(1, steps - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


@dataclass(frozen=True)
class _Trainer:
    """One epoch, and one step of it."""

    fabric: Fabric
    module: nn.Module
    optimiser: Optimizer
    job: Job

    def train(self, epoch: int) -> dict[str, float]:
        """The epoch's mean of every loss term over clips, as ``train/<loss>``."""
        seed_world(self.job.spec.seed, f"epoch/{epoch}")
        self.module.train()
        count, size = len(self.job.train), self.job.spec.optimisation.batch_size
        order = torch.randperm(count, generator=generator(self.job.spec.seed, f"shuffle/{epoch}"))
        first = epoch * math.ceil(count / size)
        sums: dict[str, float] = {}
        for number, (index, batch) in enumerate(batches(self.job.train, order, size)):
            self._set_learning_rate(first + number)
            clips = Clips(batch.to(self.fabric.device, self.job.dtype), self._advice(index))
            for name, value in self._step(clips, f"epoch {epoch}, step {number}").items():
                sums[name] = sums.get(name, 0.0) + value * len(index)
        return {f"train/{name}": value / count for name, value in sums.items()}

    def _step(self, clips: Clips, where: str) -> dict[str, float]:
        terms = self.module(clips)
        values = {name: float(term.detach()) for name, term in terms.items()}
        for name, value in values.items():
            if not math.isfinite(value):
                raise Diverged(f"the loss term '{name}' became {value} at {where}")
        self.optimiser.zero_grad()
        self.fabric.backward(self.module.module.total(terms))
        bound = self.job.spec.optimisation.clip_norm or math.inf
        norm = self.fabric.clip_gradients(
            self.module, self.optimiser, max_norm=bound, error_if_nonfinite=False
        )
        # The scaler of 16-bit floats skips steps with infinite gradients on purpose.
        if self.job.spec.precision != "16-mixed" and not math.isfinite(float(norm)):
            raise Diverged(f"the gradient norm became {float(norm)} at {where}, losses {values}")
        self.optimiser.step()
        return values

    def _set_learning_rate(self, step: int) -> None:
        optimisation = self.job.spec.optimisation
        steps = optimisation.max_epochs * math.ceil(len(self.job.train) / optimisation.batch_size)
        factor = learning_rate_factor(step, steps, round(optimisation.warmup_fraction * steps))
        for group in self.optimiser.param_groups:
            group["lr"] = optimisation.learning_rate * factor

    def _advice(self, index: Tensor) -> Outputs | None:
        if self.job.advice is None:
            return None
        rows = vars(take_outputs(self.job.advice, index)).items()
        device, dtype = self.fabric.device, self.job.dtype
        return Outputs(**{name: value.to(device, dtype) for name, value in rows if value is not None})


def _account(progress: Progress, metrics: dict[str, float], monitor: str, model: nn.Module) -> None:
    if monitor not in metrics:
        raise KeyError(f"the monitor '{monitor}' is not among {', '.join(sorted(metrics))}")
    value = metrics[monitor]
    lower = METRICS[monitor.partition("/")[2]].direction == "lower"
    better = value < progress.best_value if lower else value > progress.best_value
    if math.isfinite(value) and (better or progress.best_epoch < 0):
        progress.best_epoch, progress.best_value = progress.epoch, value
        progress.best_state = {name: t.detach().cpu().clone() for name, t in model.state_dict().items()}
    progress.records.append(EpochRecord(epoch=progress.epoch, metrics=metrics))
    progress.epoch += 1


def _finished(progress: Progress, optimisation: Optimisation) -> bool:
    if progress.epoch >= optimisation.max_epochs:
        if progress.best_epoch < 0:
            raise Diverged(f"'{optimisation.monitor}' was not a number after any epoch")
        return True
    return progress.best_epoch >= 0 and progress.epoch - 1 - progress.best_epoch >= optimisation.patience


def _adamw(step: nn.Module, optimisation: Optimisation) -> AdamW:
    trained = [parameter for parameter in step.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in trained if parameter.ndim >= 2]
    others = [parameter for parameter in trained if parameter.ndim < 2]
    groups = [
        {"params": decayed, "weight_decay": optimisation.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=optimisation.learning_rate)
