"""What of the teacher can be chosen."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, ValidationInfo, field_validator

from harness.nn.clip.config import TowerConfig
from harness.nn.clip.tower import no_messages
from harness.nn.clip.weights import check_tower
from harness.spec import OutputName, View

Sense = Literal["video", "audio", "text"]
"""What the teacher is given of a clip."""

PROMPTS = (
    "a person who feels very negative",
    "a person who feels negative",
    "a person who feels slightly negative",
    "a person who feels neutral",
    "a person who feels slightly positive",
    "a person who feels positive",
    "a person who feels very positive",
)

_VIEWS: dict[str, dict[Sense, View]] = {
    "frames": {"video": "frames", "audio": "audio", "text": "transcript"},
    "features": {"video": "vision", "audio": "audio", "text": "text"},
}


class ClipVideoConfig(TowerConfig):
    """A named open_clip tower, or a small one of the given sizes; what it sees; which parts are on.

    By default every part of the method is on, and the teacher is given the video alone: each data set
    with frames has that, while transcripts may be missing or empty. And the words are what the student
    reads: a teacher that reads them too is another experiment, to be asked for.
    """

    route: Literal["frames", "features"] = Field(
        "frames", description="frames, sound and words themselves, or ready features of them"
    )
    modalities: tuple[Sense, ...] = Field(
        ("video",), min_length=1, description="what the teacher is given: any of video, audio, text"
    )
    frames_used: int | None = Field(
        None, ge=1, description="T, evenly from a clip's frames (frames route); null = all of them"
    )
    max_frames: int = Field(
        32, ge=1, le=256, description="positions that are learned when frames_used is null"
    )
    feature_steps: int = Field(
        8, ge=1, le=256, description="stretches that a clip's vision features are averaged over"
    )

    cross_frame: bool = Field(
        True, description="frames exchange messages in every layer of the tower (frames route)"
    )
    integration: bool = Field(
        True, description="a transformer layer over the sequence; false = its mean alone"
    )
    enhanced_prompts: bool = Field(True, description="the prompts look at the clip, by cross-attention")
    alpha: float = Field(0.1, ge=0, le=1, description="where the weight of what the prompts saw starts")
    regression_from: Literal["logits", "embedding", "both"] = Field(
        "logits", description="what the score is read from"
    )
    levels: int = Field(7, ge=3, le=101, description="K, sentiment levels, evenly over the label range")
    prompts: tuple[str, ...] = Field(
        PROMPTS, validate_default=True, description="a sentence a level, lowest first"
    )

    text_layers_trained: int | None = Field(
        0, ge=0, description="last layers of the text tower that train; null = all, 0 = frozen"
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="on features and in the regression head")

    @field_validator("modalities")
    @classmethod
    def _each_once_in_one_order(cls, given: tuple[Sense, ...]) -> tuple[Sense, ...]:
        if len(set(given)) < len(given):
            raise ValueError(f"expected each modality once, given {', '.join(given)}")
        # The order means nothing, so it makes no other trial.
        return tuple(sense for sense in get_args(Sense) if sense in given)

    @field_validator("prompts")
    @classmethod
    def _a_prompt_a_level(cls, given: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        levels = info.data.get("levels")
        if levels is not None and len(given) != levels:
            raise ValueError(
                f"expected a prompt for each of {levels} levels, given {len(given)} prompts"
            )
        return given

    @property
    def sees_frames(self) -> bool:
        """Whether pictures go through the vision tower."""
        return self.route == "frames" and "video" in self.modalities

    @property
    def reads_words(self) -> bool:
        """Whether transcripts go through the text tower."""
        return self.route == "frames" and "text" in self.modalities

    @property
    def frames_are_fixed(self) -> bool:
        """Whether the same frame always gives the same vector."""
        return self.sees_frames and self.vision_layers_trained == 0 and not self.cross_frame

    @property
    def words_are_fixed(self) -> bool:
        """Whether the same transcript always gives the same vector."""
        return self.reads_words and self.text_layers_trained == 0

    @property
    def positions(self) -> int:
        """The longest sequence: pictures and a sound, or the utterance alone."""
        pictures = (
            self.feature_steps if self.route == "features" else self.frames_used or self.max_frames
        )
        count = pictures * ("video" in self.modalities) + ("audio" in self.modalities)
        return max(1, count)

    def needs(self) -> frozenset[View]:
        """The view of each modality on the route."""
        return frozenset(_VIEWS[self.route][sense] for sense in self.modalities)

    def frames_taken(self) -> int | None:
        """`frames_used`, where frames are seen at all."""
        return self.frames_used if self.sees_frames else None

    def level_count(self) -> int:
        """K."""
        return self.levels

    def gives(self) -> frozenset[OutputName]:
        """Class logits, the clip's vector and the sequence it was made of, beside the score."""
        return frozenset({"score", "class_logits", "embedding", "hidden"})

    def check(self) -> None:
        """Whether open_clip knows the tower, it can have the parts, and its weights are here."""
        if self.tower is not None and self.sees_frames and self.cross_frame:
            vision = check_tower(self.tower)["vision_cfg"]
            if "timm_model_name" in vision or not isinstance(vision.get("layers"), int):
                raise no_messages(self.tower)
        super().check()
