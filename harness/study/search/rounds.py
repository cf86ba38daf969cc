"""One arm's search as a sequence of rounds; the same results in give the same proposals out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from harness.spec import ChoiceSpace, SearchSettings, TrialResult, digest
from harness.spec.leaders import objective_values
from harness.study.search.legality import describe
from harness.study.search.pruning import RoundPruning, direction, for_pruners, intermediate
from harness.study.search.sampler import make_sampler, quiet_optuna
from harness.study.search.space import ArmSpace
from harness.study.search.suggest import suggest
from harness.study.search.values import top


@dataclass(frozen=True)
class ArmSearch:
    """What an arm's proposals depend on beside results.

    Attributes:
        anchor: the identity of the arm's trial with the file's values, which stands for all that is
            not searched, the data included.
    """

    study: str
    arm: str
    settings: SearchSettings
    space: ArmSpace
    anchor: str

    @property
    def name(self) -> str:
        """The name of the Optuna study."""
        return f"{self.study}/{self.arm}"

    @property
    def directions(self) -> list[str]:
        """Optuna's words for which way is better, an objective each."""
        return [direction(better) for better in self.settings.directions]

    @cached_property
    def identity(self) -> str:
        """Equal for searches of which one continues the other; more trials change nothing."""
        own = self.settings.model_dump(mode="json", exclude={"trials", "storage", "finalists", "space"})
        return digest({"settings": own, "space": describe(self.space.spaces), "trial": self.anchor})

    @cached_property
    def max_epochs(self) -> int:
        """The most epochs that a trial of this search can have."""
        path = f"{self.space.spec.role}.optimisation.max_epochs"
        space = self.space.spaces.get(path)
        if space is None:
            return int(self.space.own[path])
        values = space.choices if isinstance(space, ChoiceSpace) else (top(space),)
        return max(int(value) for value in values if value is not None)

    def proposed(self, history: Sequence[FrozenTrial]) -> tuple[FrozenTrial, ...]:
        """The rest of the round that follows the trials that have ended, in the order of numbers.

        Only whole rounds are looked at: where a round has ended in part, because the budget was
        smaller once, or a record was cut short, the same round is proposed and its rest given.
        """
        begun = len(history) // self.settings.at_once * self.settings.at_once
        end = min(begun + self.settings.at_once, self.settings.trials)
        if end <= len(history):
            return ()
        study = self._study(history[:begun])
        if begun == 0:
            study.enqueue_trial(self.space.start)
        for _ in range(begun, end):
            trial = study.ask()
            # Drawn even where every value is fixed: the genetic algorithm notes the generation then.
            _ = trial.relative_params
            suggest(trial, self.space)
        return tuple(study.get_trials()[len(history) :])

    def pruning(self, number: int, history: Sequence[FrozenTrial]) -> RoundPruning | None:
        """When trial `number` is to be given up; None if nothing is."""
        if self.settings.pruner.name == "none":
            return None
        begun = number // self.settings.at_once * self.settings.at_once
        earlier = tuple(for_pruners(trial) for trial in history[:begun])
        return RoundPruning(self.name, number, self.settings, self.max_epochs, earlier)

    def ended(
        self, proposal: FrozenTrial, result: TrialResult, history: Sequence[FrozenTrial]
    ) -> FrozenTrial:
        """The proposal with its result. A complete trial without a number for an objective failed."""
        values = objective_values(result, self.settings.objective)
        states = {"pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        state = TrialState.COMPLETE if values else states.get(result.state, TrialState.FAIL)
        pruning = self.pruning(proposal.number, history)
        rungs = pruning.rungs(result.epochs) if pruning else {}
        epochs = result.epochs if len(self.settings.objective) == 1 else ()
        return create_trial(
            state=state,
            values=values,
            params=proposal.params,
            distributions=proposal.distributions,
            intermediate_values=intermediate(epochs, self.settings.objective[0]),
            system_attrs={**proposal.system_attrs, **rungs},
            user_attrs=self.labels(proposal.number, result.trial_id),
        )

    def impossible(self, proposal: FrozenTrial, reason: str) -> FrozenTrial:
        """The proposal as a failed trial that could not even be built."""
        return create_trial(
            state=TrialState.FAIL,
            params=proposal.params,
            distributions=proposal.distributions,
            system_attrs=proposal.system_attrs,
            user_attrs={**self.labels(proposal.number, ""), "reason": reason},
        )

    def labels(self, number: int, trial_id: str) -> dict[str, Any]:
        """What Optuna is told of a trial beside what it needs."""
        return {"trial_id": trial_id, "arm": self.arm, "number": number}

    def _study(self, history: Sequence[FrozenTrial]) -> optuna.Study:
        quiet_optuna()
        begun = len(history) // self.settings.at_once
        study = optuna.create_study(
            study_name=self.name,
            directions=self.directions,
            sampler=make_sampler(self.settings, f"search/{self.arm}/{begun}"),
        )
        study.add_trials(history)
        return study
