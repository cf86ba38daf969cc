"""When a search gives a trial up: Optuna's pruners, asked in the worker."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from harness.spec import EpochRecord, SearchSettings
from harness.study.launch.base import Pruning
from harness.study.search.sampler import make_pruner, quiet_optuna

RUNG = "completed_rung_"
"""Where successive halving notes a trial's value at a rung; later trials are compared with it."""


@dataclass(frozen=True)
class RoundPruning(Pruning):
    """Judges trial `number` by the trials of earlier rounds, never by those of its own.

    Attributes:
        name: of the Optuna study: Hyperband deals trials out to its brackets by it.
        earlier: the trials of earlier rounds, by number, as far as a pruner looks at them.
    """

    name: str
    number: int
    settings: SearchSettings
    max_epochs: int
    earlier: tuple[FrozenTrial, ...]
    _judges: list[_Judge] = field(default_factory=list, init=False, repr=False, compare=False)

    def is_hopeless(self, epochs: tuple[EpochRecord, ...]) -> bool:
        """Whether any of these epochs, which are all from the first on, is reason to give up."""
        return self._after(epochs).is_hopeless

    def rungs(self, epochs: tuple[EpochRecord, ...]) -> dict[str, float]:
        """What later trials are compared with beside the values after these epochs."""
        return self._after(epochs).rungs

    def _after(self, epochs: tuple[EpochRecord, ...]) -> _Judge:
        if not self._judges or not self._judges[0].can_go_on(epochs):
            self._judges[:] = [_Judge(self)]
        self._judges[0].see(epochs)
        return self._judges[0]

    def __getstate__(self) -> dict[str, Any]:
        """A worker builds its own judge."""
        return {**self.__dict__, "_judges": []}


class _Judge:
    """An Optuna study in memory with one running trial, and what it has been told of it."""

    def __init__(self, pruning: RoundPruning) -> None:
        quiet_optuna()
        settings = pruning.settings
        self._objective = settings.objective[0]
        study = optuna.create_study(
            study_name=pruning.name,
            direction=direction(settings.directions[0]),
            pruner=make_pruner(settings, pruning.max_epochs),
            sampler=optuna.samplers.RandomSampler(seed=0),
        )
        study.add_trials(pruning.earlier)
        for _ in range(len(pruning.earlier), pruning.number):
            study.add_trial(create_trial(state=TrialState.FAIL))
        self._study, self._trial = study, study.ask()
        self._seen: tuple[EpochRecord, ...] = ()
        self.is_hopeless = False

    def can_go_on(self, epochs: tuple[EpochRecord, ...]) -> bool:
        return epochs[: len(self._seen)] == self._seen

    def see(self, epochs: tuple[EpochRecord, ...]) -> None:
        for step, value in intermediate(epochs[len(self._seen) :], self._objective).items():
            self._trial.report(value, step)
            with warnings.catch_warnings():
                # A trial that was never a number is given up; NumPy warns of it besides.
                warnings.simplefilter("ignore", RuntimeWarning)
                self.is_hopeless |= self._trial.should_prune()
        self._seen = epochs

    @property
    def rungs(self) -> dict[str, float]:
        attributes = self._study.get_trials()[-1].system_attrs
        return {name: value for name, value in attributes.items() if name.startswith(RUNG)}


def direction(better: str) -> str:
    """Optuna's word for which way is better."""
    return "minimize" if better == "lower" else "maximize"


def intermediate(epochs: Sequence[EpochRecord], objective: str) -> dict[int, float]:
    """The objective after so many epochs, as far as epochs have it."""
    return {
        record.epoch + 1: record.metrics[objective] for record in epochs if objective in record.metrics
    }


def for_pruners(trial: FrozenTrial) -> FrozenTrial:
    """The trial without what no pruner reads, so that little travels to the workers."""
    rungs: Mapping[str, Any] = {
        name: value for name, value in trial.system_attrs.items() if name.startswith(RUNG)
    }
    return create_trial(
        state=trial.state,
        values=trial.values,
        intermediate_values=trial.intermediate_values,
        system_attrs=dict(rungs),
    )
