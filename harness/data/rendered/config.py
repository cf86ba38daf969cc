"""Every number that decides what the rendered clips look, sound and read like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from harness.data.parts.streams import stream
from harness.spec import DataConfig, digest

# Part of the identity of a rendered set: raised whenever the same numbers make other clips.
GENERATOR = 1

LABEL_RANGE = (-3.0, 3.0)


class Rendering(DataConfig):
    """How clips are made from a seed."""

    seed: int = Field(0, ge=0, description="of every draw: scores, words, pictures, sounds")
    train_clips: int = Field(600, ge=1, description="training clips; at most those of a label_csv")
    valid_clips: int = Field(200, ge=1, description="validation clips; at most those of a label_csv")
    test_clips: int = Field(
        800, ge=1, description="test clips, targets are true scores; at most those of a label_csv"
    )
    clips_per_video: int = Field(
        5, ge=1, description="generated: clips of one face and voice; never in two splits"
    )
    label_sd: float = Field(
        1.5, ge=0, description="noisy labels: sd of the annotator noise of train and valid"
    )

    words: int = Field(
        400, ge=10, le=5000, description="generated: words that occur, each with its own polarity"
    )
    clip_words: int = Field(
        12, ge=1, le=200, description="generated: words of a clip of `frames` pictures"
    )
    cue_rate: float = Field(0.5, ge=0, le=1, description="share of words that follow the score")
    cue_sd: float = Field(1.0, gt=0, description="spread of cue words' polarity around the score")
    contradiction_rate: float = Field(
        0.05, ge=0, le=1, description="share of clips whose words follow the opposite score"
    )

    frames: int = Field(8, ge=1, le=256, description="T, pictures of one clip; of the shortest")
    longest: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="pictures of the longest clip: lengths lie evenly between, sound and generated "
        "words in proportion; null = all clips have `frames`",
    )
    size: int = Field(64, ge=16, le=512, multiple_of=2, description="H = W, pixels")
    fps: int = Field(8, ge=1, le=60, description="pictures a second")
    face_sd: float = Field(
        0.2, ge=0, description="sd of the score that a face shows around the true one"
    )
    pixel_sd: float = Field(0.15, ge=0, le=1, description="sd of the noise of every pixel in [0, 1]")
    crf: int = Field(26, ge=0, le=51, description="H.264 quality, 0 lossless to 51 worst")

    sample_rate: int = Field(16000, ge=8000, le=48000, description="samples a second of the voice")
    voice_sd: float = Field(
        0.6, ge=0, description="sd of the score that a voice tells around the true one"
    )
    pitch_semitones: float = Field(2.0, ge=0, le=8, description="rise of the pitch per score point")
    energy_db: float = Field(2.0, ge=0, le=6, description="rise of the energy per score point")
    hiss_sd: float = Field(0.02, ge=0, le=0.5, description="sd of the noise of every sample in [-1, 1]")

    @model_validator(mode="after")
    def _lengths_agree(self) -> Self:
        if self.longest is not None and self.longest < self.frames:
            raise ValueError(f"longest: expected at least frames {self.frames}, given {self.longest}")
        return self

    def clip_frames(self, video_id: str, clip_id: str) -> int:
        """How many pictures a clip has; other draws do not depend on it."""
        if self.longest is None:
            return self.frames
        random = stream(self.seed, "length", video_id, clip_id)
        return int(random.integers(self.frames, self.longest, endpoint=True))

    def counts(self) -> dict[str, int]:
        """How many clips each split has: train, valid, test."""
        return {"train": self.train_clips, "valid": self.valid_clips, "test": self.test_clips}

    def rendering_digest(self, source: Mapping[str, str] | None = None) -> str:
        """The identity of the clips: of the generator and its numbers, not of where they lie.

        Args:
            source: the identity of sentences that are not generated.
        """
        return digest(
            {"generator": GENERATOR, **self.numbers(), **({"source": dict(source)} if source else {})}
        )

    def numbers(self) -> dict[str, Any]:
        """What decides the clips, by name.

        Without a key, as without a source, where it says nothing: sets keep the identity they always
        had.
        """
        found = {name: getattr(self, name) for name in Rendering.model_fields}
        return {name: value for name, value in found.items() if value is not None}
