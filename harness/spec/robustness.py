"""What may be missing from clips, or wrong with them: in training, and when a model is tested."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from harness.spec.base import Frozen
from harness.spec.variant import Modality

MODALITIES: tuple[Modality, ...] = ("text", "vision", "audio")

RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

MOST = 1000.0
"""The strongest noise: beyond it nothing is left to be seen or heard."""

ConditionKind = Literal[
    "subsets", "random", "temporal", "audio_noise", "blur", "frame_drop", "word_drop"
]

Modalities = Annotated[tuple[Modality, ...], Field(min_length=1)]
Rate = Annotated[float, Field(ge=0, le=1)]


class Missing(Frozen):
    """What is taken from the training clips, drawn anew at every step; never all of a clip.

    ``random`` takes whole modalities (modality dropout), ``temporal`` single steps.
    """

    kind: Literal["random", "temporal"] = "random"
    rate: float = Field(gt=0, lt=1, description="chance that a modality, or a step, is missing")
    modalities: Modalities = Field(MODALITIES, description="those that may be missing")


class Condition(Frozen):
    """One way in which test clips are shown to a model.

    Attributes:
        level: chance that a modality or step is missing, or strength of a noise; 0 changes nothing.
        modalities: those that are present (``subsets``), or that it happens to.
    """

    kind: ConditionKind
    level: float = Field(0.0, ge=0, le=MOST)
    modalities: Modalities

    @property
    def name(self) -> str:
        """``present_text_audio``, ``random_0.3``, ``temporal_vision_0.3``."""
        which = "_".join(self.modalities)
        if self.kind == "subsets":
            return f"present_{which}"
        is_said = self.kind in _OF or self.modalities == MODALITIES
        return f"{self.kind}_{self.level:g}" if is_said else f"{self.kind}_{which}_{self.level:g}"


_OF: dict[str, tuple[Modality, ...]] = {
    "audio_noise": ("audio",),
    "blur": ("vision",),
    "frame_drop": ("vision",),
    "word_drop": ("text",),
}


class _Protocol(Frozen):
    """One question that is put to every model of a study, as the conditions it is asked under."""


class Subsets(_Protocol):
    """Every non-empty subset of the modalities present, the rest missing from all clips."""

    protocol: Literal["subsets"]
    modalities: Modalities = MODALITIES

    def conditions(self) -> tuple[Condition, ...]:
        """All modalities first, single ones last."""
        return tuple(
            Condition(kind="subsets", modalities=chosen)
            for size in range(len(self.modalities), 0, -1)
            for chosen in combinations(self.modalities, size)
        )


class _Levels(_Protocol):
    @field_validator("rates", "levels", check_fields=False)
    @classmethod
    def _start_at_nothing(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if levels[0] != 0 or any(b <= a for a, b in pairwise(levels)):
            raise ValueError(f"expected rising levels that start at 0, given {list(levels)}")
        return levels


class Random(_Levels):
    """Whole modalities missing at random, clip by clip; possibly all of them.

    Who is missing depends on the clip's id alone, and what is missing at one rate is missing at
    every higher one: all models, and all rates, are asked about the same clips.
    """

    protocol: Literal["random"]
    rates: tuple[Rate, ...] = Field(RATES, min_length=2, description="chances, rising from 0")
    modalities: Modalities = Field(MODALITIES, description="those that may be missing")

    def conditions(self) -> tuple[Condition, ...]:
        """One a rate."""
        return tuple(
            Condition(kind="random", level=rate, modalities=self.modalities) for rate in self.rates
        )


class Temporal(_Levels):
    """Steps of the modalities missing at random: features and frames zeroed in place, words left out."""

    protocol: Literal["temporal"]
    rates: tuple[Rate, ...] = Field(RATES, min_length=2, description="chances, rising from 0")
    modalities: Modalities = Field(MODALITIES, description="those whose steps may be missing")

    def conditions(self) -> tuple[Condition, ...]:
        """One a rate."""
        return tuple(
            Condition(kind="temporal", level=rate, modalities=self.modalities) for rate in self.rates
        )


class Drops(_Levels):
    """Frames (zeroed in place) or words (left out) dropped at random."""

    protocol: Literal["frame_drop", "word_drop"]
    rates: tuple[Rate, ...] = Field(RATES, min_length=2, description="chances, rising from 0")

    def conditions(self) -> tuple[Condition, ...]:
        """One a rate."""
        return tuple(
            Condition(kind=self.protocol, level=rate, modalities=_OF[self.protocol])
            for rate in self.rates
        )


class Noise(_Levels):
    """White noise on the sound, or blurred pictures.

    ``audio_noise``: the noise's sd over the sound's own, in the recording where the data set has it,
    else over each feature's sd in train. ``blur``: the sd of a Gaussian in pixels; it needs pictures.
    """

    protocol: Literal["audio_noise", "blur"]
    levels: tuple[Annotated[float, Field(ge=0, le=MOST)], ...] = Field(
        (0.0, 0.5, 1.0, 2.0, 4.0, 8.0), min_length=2, description="strengths, rising from 0"
    )

    def conditions(self) -> tuple[Condition, ...]:
        """One a level."""
        return tuple(
            Condition(kind=self.protocol, level=level, modalities=_OF[self.protocol])
            for level in self.levels
        )


RobustnessProtocol = Annotated[
    Subsets | Random | Temporal | Drops | Noise, Field(discriminator="protocol")
]
