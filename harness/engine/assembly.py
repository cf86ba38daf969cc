"""From an assignment to what the loop trains: models, clips as they see them, losses and advice."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import nn

from harness.contracts import Adapts, Tokenises
from harness.engine.advice import control_advice, load_advice
from harness.engine.assignment import Assignment
from harness.engine.environment import code_revision
from harness.engine.feature_cache import FeatureCache
from harness.engine.loop import Job
from harness.engine.seeds import seed_world
from harness.engine.shares import clips_to_learn, with_labelled_share
from harness.engine.terms import EXAMPLES, adapt, build_terms
from harness.engine.training_step import Learner, TrainingStep
from harness.registry import REGISTRIES
from harness.spec import TrialSpec
from harness.types import Batch, Dataset, Outputs


@dataclass(frozen=True)
class Assembly:
    """A trial, ready to be trained.

    Attributes:
        train: all training clips as the model sees them; `job.train` are those it learns from.
        test: None for a trial that never sees them.
        untouched: the validation clips without anything precomputed, for measuring what a clip costs.
    """

    step: TrainingStep
    job: Job
    train: Batch
    valid: Batch
    test: Batch | None
    untouched: Batch

    @property
    def model(self) -> nn.Module:
        """The model that the trial is about."""
        return self.step.model


def assemble(given: Assignment, fabric: Fabric, dtype: torch.dtype) -> Assembly:
    """Everything that `fit` needs; fills the feature cache for models with frozen parts."""
    spec, data = given.spec, given.data
    model = build_model(spec, data)
    sight = _Sight(FeatureCache(given.cache, given.fingerprint), fabric, dtype)
    untouched = visible(spec, model, data.valid)
    train = with_labelled_share(spec, sight.to_learn(spec, model, data.train))
    valid = sight.of(spec, model, data.valid)
    test = sight.of(spec, model, data.test) if "test" in spec.splits else None
    learner = Learner(spec, model, build_terms(spec, data.info))
    teacher, teacher_train = None, None
    if spec.teacher is not None and spec.schedule == "joint":
        companion = build_model(spec.teacher, data)
        teacher = Learner(spec.teacher, companion, build_terms(spec.teacher, data.info))
        teacher_train = with_labelled_share(
            spec.teacher, sight.to_learn(spec.teacher, companion, data.train)
        )
    learned, advice = clips_to_learn(spec, train), _advice(given)
    _adapt(learner, learned, _example(teacher, teacher_train) if teacher else advice)
    if teacher and teacher_train is not None:
        _adapt(teacher, teacher_train, None)
    job = Job(
        spec=spec,
        train=learned,
        valid=valid,
        advice=advice,
        teacher_train=teacher_train,
        dtype=dtype,
        checkpoint=given.work / "resume.pt",
        on_epoch=given.on_epoch,
        is_hopeless=given.is_hopeless,
        revision=code_revision(),
    )
    return Assembly(TrainingStep(learner, teacher), job, train, valid, test, untouched)


def build_model(spec: TrialSpec, data: Dataset) -> nn.Module:
    """The spec's model, initialised from the trial's own stream."""
    seed_world(spec.seed, "init")
    return REGISTRIES[spec.role].build(spec.model, data.info)


def visible(spec: TrialSpec, model: nn.Module, clips: Batch) -> Batch:
    """The clips as the model may see them: the views that it declares, tokenised, and no others."""
    needs = REGISTRIES[spec.role].configure(spec.model).needs()
    seen = clips.only(needs)
    return model.tokenise(seen) if isinstance(model, Tokenises) else seen


@dataclass(frozen=True)
class _Sight:
    """Clips as models see them, with what their frozen parts say of them."""

    cache: FeatureCache
    fabric: Fabric
    dtype: torch.dtype

    def of(self, spec: TrialSpec, model: nn.Module, clips: Batch) -> Batch:
        return self.cache.precomputed(self.fabric, model, visible(spec, model, clips), self.dtype)

    def to_learn(self, spec: TrialSpec, model: nn.Module, clips: Batch) -> Batch:
        # What is computed ahead of training would show what is to be missing.
        return visible(spec, model, clips) if spec.missing else self.of(spec, model, clips)


def _advice(given: Assignment) -> Outputs | None:
    if not given.spec.advisers():
        return None
    paths = [path for path in given.advice if path is not None]
    if len(paths) < len(given.spec.advisers()):
        raise LookupError("the teacher left no outputs: its own trial failed, see there")
    train = given.data.train
    advice = load_advice(paths, train.ids)
    return control_advice(advice, given.spec.control, train, given.data.info, given.spec.seed)


def _adapt(learner: Learner, clips: Batch, advice: Outputs | None) -> None:
    """Lets losses with parameters see a few outputs, for their widths."""
    if not any(isinstance(loss, Adapts) for loss in learner.terms.losses.values()):
        return
    outputs = _example(learner, clips)
    rows = torch.arange(len(outputs))
    example = None if advice is None else advice.take(rows)
    adapt(learner.terms, outputs, example, clips, learner.spec.seed)


@torch.no_grad()
def _example(learner: Learner, clips: Batch) -> Outputs:
    """What the model says of a few clips while it is trained, and no trace of it in the model."""
    model = learner.model
    parameter = next(model.parameters())
    batch = clips.take(torch.arange(min(EXAMPLES, len(clips))))
    running = {name: buffer.clone() for name, buffer in model.named_buffers()}
    outputs: Outputs = model.train()(batch.to(parameter.device, parameter.dtype))
    for name, buffer in model.named_buffers():
        buffer.copy_(running[name])
    return outputs.to(torch.device("cpu"))
