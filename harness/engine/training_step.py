"""What one step of training computes: a model's outputs and the terms of its loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from harness.engine.terms import Terms
from harness.spec import TrialSpec
from harness.types import Batch, Outputs

TEACHER = "teacher/"
"""Before the names of the loss terms of a teacher that is trained along."""


@dataclass(frozen=True)
class Learner:
    """A model and its losses; in the joint schedule there are two."""

    spec: TrialSpec
    model: nn.Module
    terms: Terms


BeforeTerms = Callable[[Learner, Outputs, Batch], None]
"""What happens between a learner's outputs and its terms; see `harness.engine.opponents`."""


def _nothing(_: Learner, __: Outputs, ___: Batch) -> None:
    return


class TrainingStep(nn.Module):
    """Models and losses as one module, so that Fabric wraps (and synchronises) all of them.

    With a `teacher` its outputs at this very step, detached, are the advice, and its own terms count
    as ``teacher/<loss>``.
    """

    def __init__(self, learner: Learner, teacher: Learner | None = None) -> None:
        super().__init__()
        self.model, self.terms = learner.model, learner.terms
        self.learner, self.teacher_learner = learner, teacher
        if teacher is not None:
            self.teacher, self.teacher_terms = teacher.model, teacher.terms
        self.before_terms: BeforeTerms = _nothing

    def forward(self, clips: Clips) -> dict[str, Tensor]:
        """Every term, not weighted, by name."""
        outputs, advice = self.model(clips.batch), clips.advice
        self.before_terms(self.learner, outputs, clips.batch)
        found = {}
        if clips.teacher_batch is not None:
            said = self.teacher(clips.teacher_batch)
            if self.teacher_learner is not None:
                self.before_terms(self.teacher_learner, said, clips.teacher_batch)
            own = self.teacher_terms(said, clips.teacher_batch, None)
            found = {f"{TEACHER}{name}": term for name, term in own.items()}
            advice = said.detach()
        found = self.terms(outputs, clips.batch, advice) | found
        for name in clips.terms:
            if name not in found:
                source = said if name.startswith(TEACHER) else outputs
                found[name] = 0.0 * source.first().sum()
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all terms that a step may have."""
        own = tuple(self.terms.weighted)
        if self.teacher_learner is None:
            return own
        return (*own, *(f"{TEACHER}{name}" for name in self.teacher_terms.weighted))

    def total(self, found: Mapping[str, Tensor], epochs: float) -> Tensor:
        """The weighted sum after so many epochs."""
        own, teachers = _by_owner(found)
        total = self.terms.total(own, epochs) if own else 0.0
        return total + self.teacher_terms.total(teachers, epochs) if teachers else total

    def clips(self, name: str, clips: Clips) -> int:
        """How many clips a term is the mean over; it is absent where there are none."""
        if clips.is_guest:
            return 0
        if clips.teacher_batch is not None and name.startswith(TEACHER):
            return self.teacher_terms.clips(name.removeprefix(TEACHER), clips.teacher_batch)
        return self.terms.clips(name, clips.batch)


def _by_owner(found: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    own = {name: term for name, term in found.items() if not name.startswith(TEACHER)}
    teachers = {
        name.removeprefix(TEACHER): term for name, term in found.items() if name.startswith(TEACHER)
    }
    return own, teachers


class Clips:
    """What one step is computed on. Not a dataclass: Fabric would take a frozen one apart.

    Attributes:
        advice: a finished teacher's outputs on the clips.
        teacher_batch: the same clips as a teacher sees them that is trained along.
        is_guest: whether they belong to the share of another device, and count for nothing here.
        terms: terms that have to be there: one without a clip is then 0, not absent, because all
            devices go backward through the same terms.
    """

    def __init__(
        self,
        batch: Batch,
        advice: Outputs | None,
        teacher_batch: Batch | None = None,
        *,
        is_guest: bool = False,
    ) -> None:
        self.batch = batch
        self.advice = advice
        self.teacher_batch = teacher_batch
        self.is_guest = is_guest
        self.terms: tuple[str, ...] = ()
