"""Which trials of a plan are still to be run, and which of them may begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.spec import Plan, State


class Queue:
    """The trials of a plan by what this runner knows of them.

    A trial waits, is under way here, is another runner's, or has ended. One whose teachers have not
    all ended may not begin; a teacher that failed has ended too, and its students say so themselves.
    """

    def __init__(self) -> None:
        self.ended: dict[str, State] = {}
        self.here: set[str] = set()
        self.elsewhere: set[str] = set()
        self._waiting: dict[str, tuple[str, ...]] = {}

    def extend(self, plan: Plan, ended: Mapping[str, State]) -> None:
        """Takes in the trials of a plan that are new; `ended` says how those ended that did.

        One that is under way here ends when its worker says so: what it left may be there already,
        and the worker not yet free.
        """
        for trial in plan.trials:
            if trial in self.ended or trial in self.here:
                continue
            if trial in ended:
                self.end(trial, ended[trial])
            else:
                self._waiting.setdefault(trial, plan.teachers.get(trial, ()))

    def ready(self) -> Iterator[str]:
        """Trials that may begin here now, in the order of the plan."""
        for trial, teachers in list(self._waiting.items()):
            if trial not in self.elsewhere and all(teacher in self.ended for teacher in teachers):
                yield trial

    def begin(self, trial: str) -> None:
        """Notes that the trial is under way here."""
        del self._waiting[trial]
        self.here.add(trial)

    def put_back(self, trial: str) -> None:
        """Notes that the trial has to be begun again."""
        self.here.discard(trial)
        # Its teachers had ended when it began.
        self._waiting[trial] = ()

    def end(self, trial: str, state: State) -> None:
        """Notes how the trial ended, here or elsewhere."""
        self._waiting.pop(trial, None)
        self.here.discard(trial)
        self.elsewhere.discard(trial)
        self.ended[trial] = state

    def reopen(self, trial: str) -> None:
        """Notes that what the trial left was taken away, so that it has to be run."""
        del self.ended[trial]
        self._waiting[trial] = ()

    @property
    def unsettled(self) -> tuple[str, ...]:
        """Trials that wait, whoever may run them."""
        return tuple(self._waiting)
