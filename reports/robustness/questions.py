"""The protocols of a study as axes: what is asked, at which levels, under which name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.spec import MODALITIES, Condition, ConditionKind, Modality, RobustnessProtocol, Study

_AXES: dict[ConditionKind, str] = {
    "subsets": "modalities present",
    "random": "chance that a modality ({}) of a clip is missing",
    "temporal": "chance that a step ({}) is missing",
    "audio_noise": "white noise on the sound, over the sound's sd",
    "blur": "sd of the blur (pixels)",
    "frame_drop": "chance that a frame is dropped",
    "word_drop": "chance that a word is dropped",
}


@dataclass(frozen=True)
class Question:
    """One protocol of a study.

    Attributes:
        name: unique in its study, and fit for a file's name.
        kind: what is done to the clips.
        conditions: as the protocol puts them; the first one changes nothing.
    """

    name: str
    kind: ConditionKind
    conditions: tuple[Condition, ...]

    @property
    def has_levels(self) -> bool:
        """Whether the conditions are points of a line; subsets of modalities are not."""
        return self.kind != "subsets"

    @property
    def levels(self) -> tuple[float, ...]:
        """Where each condition stands on the axis; without levels, its place among the others."""
        if not self.has_levels:
            return tuple(float(place) for place in range(len(self.conditions)))
        return tuple(one.level for one in self.conditions)

    @property
    def labels(self) -> tuple[str, ...]:
        """``0.3``, or ``T+V``."""
        if self.has_levels:
            return tuple(f"{one.level:g}" for one in self.conditions)
        return tuple(initials(one.modalities) for one in self.conditions)

    @property
    def axis(self) -> str:
        """What the levels are."""
        return _AXES[self.kind].format(", ".join(self.conditions[0].modalities))


def questions(study: Study) -> tuple[Question, ...]:
    """The protocols in the order of the study."""
    names = [_name(protocol) for protocol in study.robustness]
    seen: Counter[str] = Counter()
    found = []
    for name, protocol in zip(names, study.robustness, strict=True):
        seen[name] += 1
        own = f"{name}_{seen[name]}" if seen[name] > 1 else name
        found.append(Question(own, protocol.protocol, protocol.conditions()))
    return tuple(found)


def initials(modalities: tuple[Modality, ...]) -> str:
    """``T+V+A``."""
    return "+".join(one[0].upper() for one in modalities)


def _name(protocol: RobustnessProtocol) -> str:
    modalities: tuple[Modality, ...] = getattr(protocol, "modalities", MODALITIES)
    return "_".join((protocol.protocol, *(() if modalities == MODALITIES else modalities)))
