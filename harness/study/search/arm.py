"""How far an arm's search is: the trials that ended, and the round that is under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from harness.spec import (
    BadInput,
    SearchStudy,
    SearchTrial,
    TrialResult,
    TrialSpec,
    VariantRef,
    trial_id,
)
from harness.spec.leaders import leaders
from harness.study.expand import Cell, reseeded
from harness.study.launch.base import Pruning
from harness.study.resolve import resolve_trial
from harness.study.search.front import finalists
from harness.study.search.legality import trial_of
from harness.study.search.parts import with_values
from harness.study.search.rounds import ArmSearch
from harness.study.search.space import ArmSpace

Results = Callable[[str], TrialResult | None]


@dataclass(frozen=True)
class Proposal:
    """A trial of the search; without a spec if its values do not make a trial, for that reason."""

    found: SearchTrial
    spec: TrialSpec | None
    reason: str = ""


class ArmRun:
    """One arm's search, from the trials that a history has of it on."""

    def __init__(
        self, study: SearchStudy, arm: str, space: ArmSpace, fingerprints: Mapping[VariantRef, str]
    ) -> None:
        self.history: list[FrozenTrial] = []
        self.proposals: list[Proposal] = []
        self._study, self._fingerprint = study, fingerprints[space.spec.data]
        self._open: tuple[FrozenTrial, ...] = ()
        self._known: dict[str, TrialResult] = {}
        anchor = trial_id(space.spec, self._fingerprint)
        self.search = ArmSearch(study.name, arm, study.search, space, anchor)

    def take_up(self, history: tuple[FrozenTrial, ...]) -> None:
        """Goes on from these trials, which have ended, and proposes what follows them."""
        self.history = list(history)
        self.proposals = [self._proposal(number, trial) for number, trial in enumerate(history)]
        self._propose()

    def advance(self, results: Results) -> bool:
        """Ends every round whose results are all there; whether there was one."""
        before = len(self.history)
        while self._open and self._has_all(results):
            begun = tuple(self.history)
            for trial, proposal in zip(self._open, self.under_way, strict=True):
                self.history.append(self._ended(trial, proposal, begun))
            self._propose()
        return len(self.history) > before

    @property
    def under_way(self) -> list[Proposal]:
        """The proposals whose round has not ended."""
        return self.proposals[len(self.proposals) - len(self._open) :]

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent."""
        return not self._open

    def pruning(self, trial: str) -> Pruning | None:
        """When a trial is to be given up, by the first of its numbers.

        Of one that has ended too: when the result store lost it, it runs again to the same end.
        """
        numbers = [one.found.number for one in self.proposals if one.found.trial_id == trial]
        return self.search.pruning(numbers[0], self.history) if numbers else None

    def chosen(self) -> dict[str, SearchTrial]:
        """What the arm is reported as: one trial, or the front's; none if no trial is complete."""
        if not self.is_over:
            return {}
        settings, arm = self._study.search, self.search.arm
        points = {
            number: tuple(trial.values)
            for number, trial in enumerate(self.history)
            if trial.state == TrialState.COMPLETE
        }
        best = leaders(points, settings.objective)
        if len(settings.objective) == 1:
            return {arm: self.proposals[best[0]].found} if best else {}
        front = {number: points[number] for number in best}
        kept = finalists(front, settings.objective, settings.finalists)
        return {f"{arm} #{number}": self.proposals[number].found for number in kept}

    def search_cells(self) -> list[Cell]:
        """The trials of the search, each time one was proposed."""
        seed = self._study.search.seed
        return [Cell(self.search.arm, seed, one.spec) for one in self.proposals if one.spec]

    def chosen_cells(self) -> list[Cell]:
        """What was chosen, under every seed of the study, evaluated on test too."""
        cells = []
        for name, trial in self.chosen().items():
            template = with_values(self.search.space.template, trial.params)
            spec = resolve_trial(self._study, template, self._study.seeds[0])
            cells += [Cell(name, seed, reseeded(spec, seed)) for seed in self._study.seeds]
        return cells

    def _propose(self) -> None:
        self._known.clear()
        self._open = self.search.proposed(self.history)
        self.proposals += [self._proposal(trial.number, trial) for trial in self._open]

    def _proposal(self, number: int, trial: FrozenTrial) -> Proposal:
        reason, spec = "", None
        try:
            spec = trial_of(self._study, self.search.space, trial.params)
        except BadInput as fault:
            reason = str(fault)
        identity = trial_id(spec, self._fingerprint) if spec else ""
        found = SearchTrial(
            arm=self.search.arm, number=number, params=dict(trial.params), trial_id=identity
        )
        return Proposal(found, spec, reason)

    def _has_all(self, results: Results) -> bool:
        for identity in {one.found.trial_id for one in self.under_way if one.spec}:
            result = self._known.get(identity) or results(identity)
            if result is not None:
                self._known[identity] = result
        return all(one.found.trial_id in self._known for one in self.under_way if one.spec)

    def _ended(
        self, trial: FrozenTrial, proposal: Proposal, begun: tuple[FrozenTrial, ...]
    ) -> FrozenTrial:
        if proposal.spec is None:
            return self.search.impossible(trial, proposal.reason)
        return self.search.ended(trial, self._known[proposal.found.trial_id], begun)
