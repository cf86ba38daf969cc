"""What of the teacher can be chosen."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, get_args

from pydantic import Field, field_validator

from harness.nn.clip.config import TowerConfig
from harness.spec import BadInput, OutputName, TaskName, View
from harness.types import DataInfo

Sight = Literal["frames", "vision", "audio", "text"]
"""What the teacher may be given of a clip."""

NAME = "{}"
"""Where a prompt has the name of its class."""


class MatchScoreConfig(TowerConfig):
    """What it sees, how that becomes one vector a clip, and what the classes are compared as.

    A CLIP is built only where frames are seen or prompts are read by its text tower.
    """

    task: ClassVar[TaskName] = "retrieval"

    joint_width: int = Field(
        64, ge=8, description="D of a clip's vector; where a named tower is used, the tower's D instead"
    )
    sees: tuple[Sight, ...] = Field(
        ("vision", "audio"), min_length=1, description="views: any of frames, vision, audio, text"
    )
    frames_used: int | None = Field(
        None, ge=1, description="T, evenly from a clip's frames; null = all of them"
    )
    max_frames: int = Field(
        32, ge=1, le=256, description="positions that are learned when frames_used is null"
    )
    integration: bool = Field(
        False, description="a transformer layer over each view's steps; false = their mean alone"
    )
    fusion: Literal["sum", "gated"] = Field(
        "sum", description="a clip's vector is the sum of its views', or the later join through gates"
    )
    prompts: Literal["learned", "clip"] = Field(
        "learned", description="a learned vector a class, or a sentence through the frozen text tower"
    )
    template: str = Field(
        "the sight and sound of {}", description="the sentence of a class, with {} for its name"
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="on features and between layers")

    @field_validator("sees")
    @classmethod
    def _each_once_in_one_order(cls, given: tuple[Sight, ...]) -> tuple[Sight, ...]:
        if len(set(given)) < len(given):
            raise ValueError(f"expected each view once, given {', '.join(given)}")
        # The order means nothing, so it makes no other trial.
        return tuple(view for view in get_args(Sight) if view in given)

    @field_validator("template")
    @classmethod
    def _has_a_place_for_the_name(cls, given: str) -> str:
        if given.count(NAME) != 1:
            raise ValueError(f"expected a sentence with one {NAME} for the class, given '{given}'")
        return given

    @property
    def sees_frames(self) -> bool:
        """Whether pictures go through the vision tower."""
        return "frames" in self.sees

    @property
    def uses_tower(self) -> bool:
        """Whether there is a CLIP at all."""
        return self.sees_frames or self.prompts == "clip"

    @property
    def frames_are_fixed(self) -> bool:
        """Whether the same frame always gives the same vector."""
        return self.sees_frames and self.vision_layers_trained == 0

    def positions(self, view: Sight, info: DataInfo) -> int:
        """The longest sequence of a view."""
        return self.frames_used or self.max_frames if view == "frames" else info.steps(view)

    def sentences(self, info: DataInfo) -> tuple[str, ...]:
        """A prompt a class, in the order of the classes; underscores in names are spaces."""
        return tuple(self.template.replace(NAME, name.replace("_", " ")) for name in info.classes)

    def needs(self) -> frozenset[View]:
        """`sees`."""
        return frozenset(self.sees)

    def gives(self) -> frozenset[OutputName]:
        """Class logits and the clip's vector beside the match factors."""
        return frozenset({"class_logits", "embedding", "match"})

    def frames_taken(self) -> int | None:
        """`frames_used`, where frames are seen at all."""
        return self.frames_used if self.sees_frames else None

    def halved(self) -> Self:
        """Half the width of the joint space and of the vision tower, in whole heads.

        Raises:
            BadInput: a named tower has one size.
        """
        if self.uses_tower and self.tower is not None:
            return super().halved()

        def half(width: int) -> int:
            return self.heads * max(1, width // (2 * self.heads))

        return self.model_copy(update={"joint_width": half(self.joint_width), "width": half(self.width)})

    def check_data(self, info: DataInfo) -> None:
        """Whether there are views to see and classes to tell apart.

        Raises:
            BadInput: a view is not there, there is one class only, or two classes have one prompt.
        """
        missing = sorted(self.needs() - info.views)
        if missing:
            there = ", ".join(sorted(info.views))
            raise BadInput(
                f"expected views of {there}, given {', '.join(missing)} to be seen", key="sees"
            )
        if len(info.classes) < 2:
            raise BadInput(f"expected clips of at least two classes, found {len(info.classes)}")
        told = self.sentences(info)
        twice = next((each for each in told if told.count(each) > 1), None)
        if self.prompts == "clip" and twice is not None:
            raise BadInput(f"expected a prompt of its own a class, given '{twice}' twice", key="prompts")
