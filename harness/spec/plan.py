"""What a study expands to: its trials, and which arm and seed each of them speaks for."""

from __future__ import annotations

from harness.spec.base import Frozen
from harness.spec.study import AblationStudy, GridStudy
from harness.spec.trial import TrialSpec


class Member(Frozen):
    """One cell of the study: the trial that an arm has under a seed."""

    arm: str
    seed: int
    trial_id: str


class Plan(Frozen):
    """A study with identified trials, each once, teachers before the students they advise."""

    study: AblationStudy | GridStudy
    members: tuple[Member, ...]
    trials: dict[str, TrialSpec]
    teachers: dict[str, tuple[str, ...]]
    """From a trial to those of its teachers, one or one a fold; trials without any are absent."""

    fingerprints: dict[str, str]
    """From a trial to the fingerprint of its data."""

    groups: dict[str, str]
    """From a trial to the identity that it shares with its twins under other seeds."""
