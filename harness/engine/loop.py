"""The one training loop. A method contributes a model or a loss, never a copy of this."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.engine.checkpoint import (
    Checkpoint,
    Progress,
    load_checkpoint,
    load_moving_state,
    moving_state,
    save_checkpoint,
)
from harness.engine.closed_form import fit_closed_form
from harness.engine.evaluation import evaluate
from harness.engine.missing import taken
from harness.engine.opponents import Diverged, Opponents, opponents, opponents_adamw
from harness.engine.optimiser import adamw
from harness.engine.predict import predict
from harness.engine.seeds import generator, seed_world
from harness.engine.together import Together
from harness.engine.training_step import Clips, TrainingStep
from harness.spec import METRICS, EpochRecord, TrialSpec
from harness.types import Batch, Outputs

OnEpoch = Callable[[int, Mapping[str, float]], None]

IsHopeless = Callable[[tuple[EpochRecord, ...]], bool]
"""Whether a trial is to be given up after these epochs of it, from the first on."""


def never(_: tuple[EpochRecord, ...]) -> bool:
    """The trial has all its epochs."""
    return False


@dataclass(frozen=True)
class Job:
    """What `fit` trains on, and where it keeps its place.

    Attributes:
        train: the clips to learn from, as the model sees them.
        teacher_train: the same clips as a teacher sees them that is trained along.
        revision: of the code that trains.
    """

    spec: TrialSpec
    train: Batch
    valid: Batch
    advice: Outputs | None
    teacher_train: Batch | None
    dtype: torch.dtype
    checkpoint: Path
    on_epoch: OnEpoch
    is_hopeless: IsHopeless
    revision: str


def fit(fabric: Fabric, step: TrainingStep, job: Job) -> Progress:
    """Trains until patience or epochs run out, and leaves the selected epoch's weights in the model.

    A trial that is hopeless after an epoch, and has more to come, ends there. An interrupted call
    continues from its checkpoint: every epoch seeds its own streams, so the epochs that follow are
    those of an uninterrupted run, bit for bit.

    Of several processes the first alone evaluates, selects, keeps its place and is asked; the others
    train along, and what they return says nothing.
    """
    if not job.spec.losses:
        fit_closed_form(fabric, step.model, job.train, job.dtype)
        return Progress()
    trainer = _set_up(fabric, step, job)
    progress = _resume(trainer, step)
    # Nobody may write the file before everybody has read it.
    fabric.barrier()
    if progress.records and fabric.is_global_zero:
        _tell_again(progress, job)
    while _goes_on(fabric, progress, job.spec):
        metrics = trainer.train(progress.epoch)
        if not fabric.is_global_zero:
            progress.epoch += 1
            continue
        metrics |= _validate(fabric, step.model, job)
        _account(progress, metrics, job.spec, step.model)
        save_checkpoint(job.checkpoint, trainer.checkpoint(progress, step))
        job.on_epoch(progress.epoch - 1, metrics)
        progress.is_hopeless = _is_given_up(progress, job)
    if progress.best_epoch >= 0:
        load_moving_state(step.model, progress.best_state)
    else:
        fit_closed_form(fabric, step.model, job.train, job.dtype)
    return progress


def _set_up(fabric: Fabric, step: TrainingStep, job: Job) -> _Trainer:
    opponent = opponents_adamw(step)
    if opponent is None:
        module, optimiser = fabric.setup(step, adamw(step))
        return _Trainer(fabric, module, (optimiser,), job)
    module, optimiser, opponent = fabric.setup(step, adamw(step), opponent)
    rivals = Opponents(fabric, opponent)
    # In a joint schedule one of the two learners may have none.
    step.before_terms = lambda learner, outputs, batch: (
        rivals.step(found.items(), outputs, batch) if (found := opponents(learner)) else None
    )
    return _Trainer(fabric, module, (optimiser, opponent), job)


def _validate(fabric: Fabric, model: nn.Module, job: Job) -> dict[str, float]:
    fit_closed_form(fabric, model, job.train, job.dtype)
    outputs = predict(fabric, model, job.valid, job.dtype)
    return evaluate(job.valid, outputs, job.spec.protocol).named("val")


def learning_rate_factor(step: int, steps: int, warmup: int) -> float:
    """Linear from 0 over `warmup` steps, then half a cosine down to 0 at `steps`."""
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / max(1, steps - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


@dataclass(frozen=True)
class Step:
    """A step's place: number `number` of the `of` steps of its epoch, all counted from 0."""

    epoch: int
    number: int
    of: int

    @property
    def epochs(self) -> float:
        """Epochs that are done when the step is."""
        return self.epoch + (self.number + 1) / self.of

    def __str__(self) -> str:
        return f"epoch {self.epoch}, step {self.number}"


@dataclass(frozen=True)
class _Trainer:
    """One epoch, and one step of it."""

    fabric: Fabric
    module: nn.Module
    optimisers: tuple[Optimizer, ...]
    """The model's, and the one of its losses' opponents, if there are any."""

    job: Job

    @property
    def optimiser(self) -> Optimizer:
        return self.optimisers[0]

    def checkpoint(self, progress: Progress, step: TrainingStep) -> Checkpoint:
        states = tuple(optimiser.state_dict() for optimiser in self.optimisers)
        return Checkpoint(progress, moving_state(step), states, self.job.revision)

    def train(self, epoch: int) -> dict[str, float]:
        """The epoch's mean of every loss term over clips, as ``train/<loss>``."""
        together = Together(self.fabric, self.module.module)
        seed_world(self.job.spec.seed, together.stream(f"epoch/{epoch}"))
        self.module.train()
        count, size = len(self.job.train), self.job.spec.optimisation.batch_size
        order = torch.randperm(count, generator=generator(self.job.spec.seed, f"shuffle/{epoch}"))
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        for number, index in enumerate(order.split(size)):
            step = Step(epoch, number, math.ceil(count / size))
            self._set_learning_rate(step)
            stream = together.stream(f"missing/{epoch}/{number}")
            clips = self._clips(together.share(index), together.is_guest(index), stream)
            seen = together.counts(clips)
            for name, value in self._step(together, clips, seen, step).items():
                sums[name] = sums.get(name, 0.0) + value * seen[name]
                counts[name] = counts.get(name, 0) + seen[name]
        return {f"train/{name}": sums[name] / counts[name] for name in sums}

    def _step(
        self, together: Together, clips: Clips, seen: Mapping[str, int], step: Step
    ) -> dict[str, float]:
        clips.terms = tuple(seen)
        terms = self.module(clips)
        values = together.values(terms, clips, seen)
        for name, value in values.items():
            if not math.isfinite(value):
                raise Diverged(f"the loss term '{name}' became {value} at {step}")
        if not terms:
            return values
        self.optimiser.zero_grad()
        weighed = together.weighed(terms, clips, seen)
        self.fabric.backward(self.module.module.total(weighed, step.epochs))
        bound = self.job.spec.optimisation.clip_norm or math.inf
        norm = self.fabric.clip_gradients(
            self.module, self.optimiser, max_norm=bound, error_if_nonfinite=False
        )
        # The scaler of 16-bit floats skips steps with infinite gradients on purpose.
        if self.job.spec.precision != "16-mixed" and not math.isfinite(float(norm)):
            raise Diverged(f"the gradient norm became {float(norm)} at {step}, losses {values}")
        self.optimiser.step()
        return values

    def _set_learning_rate(self, step: Step) -> None:
        optimisation = self.job.spec.optimisation
        steps = optimisation.max_epochs * step.of
        warmup = round(optimisation.warmup_fraction * steps)
        factor = learning_rate_factor(step.epoch * step.of + step.number, steps, warmup)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * factor

    def _clips(self, index: Tensor, is_guest: bool, stream: str) -> Clips:
        device, dtype = self.fabric.device, self.job.dtype
        advice, teacher = self.job.advice, self.job.teacher_train
        step = self.module.module
        batch = taken(self.job.spec, step.model, self.job.train.take(index), stream)
        teachers = None
        if teacher is not None:
            teachers = taken(step.teacher_learner.spec, step.teacher, teacher.take(index), stream)
        return Clips(
            batch.to(device, dtype),
            None if advice is None else advice.take(index).to(device, dtype),
            None if teachers is None else teachers.to(device, dtype),
            is_guest=is_guest,
        )


def _resume(trainer: _Trainer, step: TrainingStep) -> Progress:
    job = trainer.job
    found = load_checkpoint(job.checkpoint)
    if found is None:
        return Progress()
    load_moving_state(step, found.model)
    for optimiser, state in zip(trainer.optimisers, found.optimisers, strict=True):
        optimiser.load_state_dict(state)
    progress = found.progress
    if found.revision != job.revision:
        progress.notes.append(
            f"resumed at epoch {progress.epoch} from a checkpoint of revision {found.revision}"
        )
    return progress


def _tell_again(progress: Progress, job: Job) -> None:
    for record in progress.records:
        job.on_epoch(record.epoch, record.metrics)
    progress.is_hopeless = _is_given_up(progress, job)


def _is_given_up(progress: Progress, job: Job) -> bool:
    """Whether to end here; a trial that has ended by itself is worth more complete."""
    return not _finished(progress, job.spec) and job.is_hopeless(tuple(progress.records))


def _goes_on(fabric: Fabric, progress: Progress, spec: TrialSpec) -> bool:
    """Whether there is another epoch: what the first process says, which alone knows the metrics."""
    goes_on = False
    if fabric.is_global_zero:
        goes_on = not progress.is_hopeless and not _finished(progress, spec)
    return bool(fabric.broadcast(goes_on))


def _account(progress: Progress, metrics: dict[str, float], spec: TrialSpec, model: nn.Module) -> None:
    monitor = spec.monitor
    if monitor not in metrics:
        raise KeyError(f"the monitor '{monitor}' is not among {', '.join(sorted(metrics))}")
    if spec.optimisation.select == "last" or _is_better(metrics[monitor], progress, monitor):
        progress.best_epoch, progress.best_value = progress.epoch, metrics[monitor]
        progress.best_state = {
            name: tensor.detach().cpu().clone() for name, tensor in moving_state(model).items()
        }
    progress.records.append(EpochRecord(epoch=progress.epoch, metrics=metrics))
    progress.epoch += 1


def _is_better(value: float, progress: Progress, monitor: str) -> bool:
    if not math.isfinite(value) or progress.best_epoch < 0:
        return math.isfinite(value)
    lower = METRICS[monitor.partition("/")[2]].direction == "lower"
    return value < progress.best_value if lower else value > progress.best_value


def _finished(progress: Progress, spec: TrialSpec) -> bool:
    optimisation = spec.optimisation
    if progress.epoch >= optimisation.max_epochs:
        if progress.best_epoch < 0 and optimisation.max_epochs:
            raise Diverged(f"'{spec.monitor}' was not a number after any epoch")
        return True
    if optimisation.select == "last" or progress.best_epoch < 0:
        return False
    return progress.epoch - 1 - progress.best_epoch >= optimisation.patience
