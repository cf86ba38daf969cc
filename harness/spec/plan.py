"""What a study expands to: its trials, and which arm and seed each of them speaks for."""

from __future__ import annotations

from typing import Any, Self

from harness.spec.base import Frozen
from harness.spec.bulk import many_values
from harness.spec.study import Study
from harness.spec.trial import TrialSpec


class Member(Frozen):
    """One cell of the study: the trial that an arm has under a seed."""

    arm: str
    seed: int
    trial_id: str


class SearchTrial(Frozen):
    """One trial of an arm's search."""

    arm: str
    number: int
    """Its place in the arm's search, from 0; the first has the values of the study file."""

    params: dict[str, Any]
    """From the dotted path of every parameter searched to its value."""

    trial_id: str


class Tuning(Frozen):
    """Where an arm's hyper-parameters are from that stand in a file beside its model."""

    data: str
    """The data set that they were chosen on."""

    source: str
    trials: int | None
    """Search trials that were spent on them; None where nobody knows."""


class Plan(Frozen):
    """A study with identified trials, each once, teachers before the students they advise."""

    study: Study
    members: tuple[Member, ...]
    trials: dict[str, TrialSpec]
    teachers: dict[str, tuple[str, ...]]
    """From a trial to those of its teachers, one or one a fold; trials without any are absent."""

    fingerprints: dict[str, str]
    """From a trial to the fingerprint of its data."""

    groups: dict[str, str]
    """From a trial to the identity that it shares with its twins under other seeds."""

    searches: tuple[SearchTrial, ...] = ()
    """The trials of searches that are proposed so far, an arm's in their order."""

    chosen: dict[str, SearchTrial] = {}
    """From an arm that is reported to the trial of a search whose values it has."""

    tuning: dict[str, Tuning] = {}
    """From an arm with values of a file beside its model to where they are from."""

    is_open: bool = False
    """Whether results will bring more trials."""

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """The plan of its JSON; one of 10,000 trials takes about a second."""
        with many_values():
            return cls.model_validate_json(text)
