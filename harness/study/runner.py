"""Runs what is missing of a study: teachers first, then whoever they advise."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from harness.contracts import Reader
from harness.engine.advice import ADVICE_FILE
from harness.engine.environment import find_device
from harness.registry import DATASETS
from harness.spec import (
    LOCATION_KEYS,
    BadInput,
    EpochRecord,
    ModelConfig,
    Plan,
    Study,
    TrialResult,
    TrialSpec,
    VariantRef,
)
from harness.store import ResultStore
from harness.study.expand import Cell, expand, make_plan, models
from harness.types import Dataset

T = TypeVar("T")


class Watcher(Protocol):
    """Who is told how a study goes on."""

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        """What reading a data set found."""

    def planned(self, plan: Plan, complete: int) -> None:
        """The plan, and how many of its trials the store already has."""

    def started(self, trial_id: str) -> None:
        """A trial begins."""

    def epoch(self, trial_id: str, epoch: int, metrics: Mapping[str, float]) -> None:
        """One of its epochs ended."""

    def finished(self, result: TrialResult) -> None:
        """A trial ended, complete or failed."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        ran: results of the trials that this run executed, in order.
        failed: how many of the study's trials have no complete result.
    """

    plan: Plan
    ran: tuple[TrialResult, ...]
    failed: int


@dataclass(frozen=True)
class Place:
    """Where a study runs and keeps things.

    Attributes:
        store: opens the result store; called after the input has been checked, because opening
            may create it.
        exists: whether there is a store to ask for finished trials before any data is read.
        work: folder for resumable checkpoints.
        cache: folder of features that frozen parts of models gave; kept between studies.
    """

    store: Callable[[], ResultStore]
    exists: bool
    work: Path
    cache: Path


def run_study(study: Study, place: Place, watcher: Watcher) -> Outcome:
    """Runs the trials that the store does not have; failed ones are run again.

    Raises:
        BadInput: the study or its data cannot be used; nothing was written then.
    """
    cells = expand(study)
    readers = _readers(cells)
    plan = make_plan(study, cells, {ref: reader.fingerprint() for ref, reader in readers})
    store = place.store() if place.exists else None
    complete = store.complete(plan.trials) if store else frozenset()
    pending = [identity for identity in plan.trials if identity not in complete]
    pending += _teachers_without_advice(plan, pending, store)
    if pending:
        find_device(study.runtime.accelerator)
        _check_models(cells)
    loaded = _load(readers, cells, watcher) if pending else []
    store = store or place.store()
    store.open_study(plan)
    watcher.planned(plan, len(plan.trials) - len(pending))
    running = _Run(plan, store, place, watcher)
    ran = []
    for identity in (identity for identity in plan.trials if identity in pending):
        data = next(data for ref, data in loaded if ref == plan.trials[identity].data)
        ran.append(running.run(identity, data))
    return Outcome(plan, tuple(ran), sum(result.state == "failed" for result in ran))


@dataclass(frozen=True)
class _Run:
    """The trials of one plan, one after the other."""

    plan: Plan
    store: ResultStore
    place: Place
    watcher: Watcher

    def run(self, identity: str, data: Dataset) -> TrialResult:
        """The trial's result, kept in the store."""
        # Here, not on top: the trainer takes seconds to import, and a finished study needs none.
        from harness.engine.assignment import Assignment
        from harness.engine.trial import run_trial

        spec, teachers = self.plan.trials[identity], self.plan.teachers.get(identity, ())
        self.watcher.started(identity)
        self.store.begin(self.plan.study.name, identity, spec)
        given = Assignment(
            spec=spec,
            trial_id=identity,
            group_id=self.plan.groups[identity],
            fingerprint=self.plan.fingerprints[identity],
            data=data,
            advice=tuple(self.store.artifact(teacher, ADVICE_FILE) for teacher in teachers),
            work=self.place.work / identity,
            cache=self.place.cache,
            runtime=self.plan.study.runtime,
            on_epoch=partial(self._epoch, identity),
        )
        done = run_trial(given)
        self.store.finish(done.result, done.predictions, done.files)
        shutil.rmtree(given.work, ignore_errors=True)
        self.watcher.finished(done.result)
        return done.result

    def _epoch(self, identity: str, epoch: int, metrics: Mapping[str, float]) -> None:
        self.store.log_epochs(identity, [EpochRecord(epoch=epoch, metrics=dict(metrics))])
        self.watcher.epoch(identity, epoch, metrics)


def _readers(cells: tuple[Cell, ...]) -> list[tuple[VariantRef, Reader]]:
    readers: list[tuple[VariantRef, Reader]] = []
    for cell in cells:
        for spec in (cell.spec, cell.spec.teacher):
            if spec is not None and all(spec.data != ref for ref, _ in readers):
                reader: Reader = DATASETS.build(spec.data)
                _keyed(reader.prepare)
                readers.append((spec.data, reader))
    return readers


def _load(
    readers: list[tuple[VariantRef, Reader]], cells: tuple[Cell, ...], watcher: Watcher
) -> list[tuple[VariantRef, Dataset]]:
    loaded = []
    for ref, reader in readers:
        data = _keyed(reader.load)
        watcher.found(ref.name, data.findings)
        loaded.append((ref, data))
    for arm, spec, config in models(cells):
        try:
            _check_data(spec, config, next(data for ref, data in loaded if ref == spec.data))
        except BadInput as fault:
            raise fault.at(key=f"arms.{arm}.{spec.role}.model") from fault
    return loaded


def _check_data(spec: TrialSpec, config: ModelConfig, data: Dataset) -> None:
    """Whether the clips have what the model takes of them."""
    model, views = spec.model.name, data.info.views
    if not config.needs() <= views:
        raise BadInput(
            f"{model} needs the views {', '.join(sorted(config.needs() - views))}; "
            f"{spec.data.name} has {', '.join(sorted(views))}"
        )
    taken = config.frames_taken()
    there = [split.frames.lengths.min() for split in (data.train, data.valid, data.test) if split.frames]
    if taken is not None and there and taken > int(min(there)):
        raise BadInput(
            f"{model} takes {taken} frames of every clip, and {spec.data.name} has clips of "
            f"{int(min(there))}; of n frames those at floor((i + 1/2) n / {taken}) are taken, none twice"
        )
    videos = len(set(data.train.video_ids))
    if spec.folds > videos:
        raise BadInput(f"{spec.folds} folds, and {spec.data.name} has {videos} training videos")


def _check_models(cells: tuple[Cell, ...]) -> None:
    checked: list[tuple[str, ModelConfig]] = []
    for arm, spec, config in models(cells):
        if (spec.model.name, config) not in checked:
            try:
                config.check()
            except BadInput as fault:
                raise fault.at(key=f"arms.{arm}.{spec.role}.model") from fault
            checked.append((spec.model.name, config))


def _keyed(step: Callable[[], T]) -> T:
    try:
        return step()
    except BadInput as fault:
        # A key inside a data file is that file's; only the path and the parameters are the study's.
        ours = not fault.file or fault.key in LOCATION_KEYS
        raise (fault.at(key="data") if ours else fault) from fault


def _teachers_without_advice(plan: Plan, pending: list[str], store: ResultStore | None) -> list[str]:
    """Complete teachers that a pending trial needs and whose stored outputs are gone."""
    if store is None:
        return []
    needed = {teacher for identity in pending for teacher in plan.teachers.get(identity, ())}
    complete = needed.difference(pending)
    return sorted(teacher for teacher in complete if store.artifact(teacher, ADVICE_FILE) is None)
