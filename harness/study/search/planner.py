"""The plan of a search study: it grows with every round, and closes when all arms have chosen."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.trial import TrialState

from harness.spec import Plan, SearchStudy, VariantRef
from harness.store import StoreFault
from harness.study.expand import make_plan
from harness.study.launch.base import Pruning
from harness.study.place import Place
from harness.study.search.arm import ArmRun, Results
from harness.study.search.history import History
from harness.study.search.legality import checked_spaces


class SearchPlanner:
    """A search an arm, each at its own pace; what an arm chose, under every seed, once it is over.

    The trials of a search are in the plan, their teachers too; members are only what was chosen. A
    trial that failed or was given up has ended for its search and is not proposed again.

    Attributes:
        plan: everything that is known to be run.
        fault: why Optuna's history could not be written when it last was to be; empty if it was.
            The search goes on without, from the result store.
    """

    def __init__(self, study: SearchStudy, fingerprints: Mapping[VariantRef, str], place: Place) -> None:
        """Takes up what the history of the place has; nothing is written yet.

        Raises:
            BadInput: the space does not fit the arms, or one of its values is not legal.
            StoreFault: the history cannot be read.
        """
        self._study, self._fingerprints = study, fingerprints
        self._arms = [
            ArmRun(study, arm, space, fingerprints) for arm, space in checked_spaces(study).items()
        ]
        self._history = History(study.search.storage, place.journal, place.claims)
        self._recorded: dict[str, int] = {}
        for arm in self._arms:
            trials = self._history.read(arm.search)
            self._recorded[arm.search.arm] = len(trials)
            arm.take_up(trials)
        self.fault = ""
        self.plan = self._made()

    def advance(self, results: Results) -> bool:
        """Takes notice of results; whether the plan grew or was closed by them."""
        if not any([arm.advance(results) for arm in self._arms]):  # noqa: C419 - all of them advance
            return False
        self.plan = self._made()
        self.record()
        return True

    def record(self) -> bool:
        """Writes what the history lacks of rounds that have ended; whether it now has all."""
        self.fault = ""
        told = len(self._history.said)
        self._write()
        if len(self._history.said) > told:
            # The journal had to begin anew: what other arms had there is gone with it.
            self._recorded = dict.fromkeys(self._recorded, 0)
            self._write()
        return all(self._recorded[arm.search.arm] == len(arm.history) for arm in self._arms)

    def pruning(self, trial_id: str) -> Pruning | None:
        """When a trial of a search is to be given up; None for one that others are advised by."""
        if any(trial_id in teachers for teachers in self.plan.teachers.values()):
            return None
        found = (arm.pruning(trial_id) for arm in self._arms)
        return next((pruning for pruning in found if pruning), None)

    @property
    def said(self) -> tuple[str, ...]:
        """Lines that a user should read: a journal begun anew, an arm without any complete trial."""
        return (*self._history.said, *(line for arm in self._arms for line in _fate(arm)))

    def _write(self) -> None:
        for arm in self._arms:
            name = arm.search.arm
            try:
                if self._recorded[name] < len(arm.history) and self._history.append(
                    arm.search, arm.history
                ):
                    self._recorded[name] = len(arm.history)
            except StoreFault as fault:
                self.fault = str(fault)

    def _made(self) -> Plan:
        searched = [cell for arm in self._arms for cell in arm.search_cells()]
        chosen = [cell for arm in self._arms for cell in arm.chosen_cells()]
        plan = make_plan(self._study, (*searched, *chosen), self._fingerprints)
        return plan.model_copy(
            update={
                "members": plan.members[len(searched) :],
                "searches": tuple(one.found for arm in self._arms for one in arm.proposals if one.spec),
                "chosen": {name: one for arm in self._arms for name, one in arm.chosen().items()},
                "is_open": not all(arm.is_over for arm in self._arms),
            }
        )


def _fate(arm: ArmRun) -> list[str]:
    if not arm.is_over or arm.chosen():
        return []
    states = [trial.state for trial in arm.history]
    failed, pruned = states.count(TrialState.FAIL), states.count(TrialState.PRUNED)
    return [
        f"the search of the arm {arm.search.arm} chose nothing: of its {len(states)} trials {failed} "
        f"failed and {pruned} were given up, so it has no row"
    ]
