"""Every number that decides what the clips of events look, sound and read like."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from harness.spec import DataConfig, TaskName, digest

# Part of the identity of a set: raised whenever the same numbers make other clips.
GENERATOR = 1


class EventRendering(DataConfig):
    """How clips of events are made from a seed."""

    task: ClassVar[TaskName] = "retrieval"

    seed: int = Field(0, ge=0, description="of every draw: classes, labels, words, pictures, sounds")
    classes: int = Field(10, ge=2, le=10, description="K, events that happen, the first of ten")
    train_clips: int = Field(800, ge=10, description="training clips, of every class as many")
    valid_clips: int = Field(200, ge=10, description="validation clips, of every class as many")
    test_clips: int = Field(400, ge=10, description="test clips, labels are the true classes")
    clips_per_video: int = Field(
        4, ge=1, description="clips of one look and one pitch, of any class; never in two splits"
    )
    label_noise: float = Field(
        0.5, ge=0, le=0.9, description="share of train and valid clips with a label of another class"
    )
    shared: float = Field(
        0.8,
        ge=0,
        le=1,
        description="share of videos whose pitch follows the shape's height, and level its size: "
        "what a pair of pictures and sound has in common beside its class",
    )
    caption_words: int = Field(5, ge=1, le=100, description="L, words of a caption; one names the class")

    frames: int = Field(8, ge=1, le=256, description="T, pictures of one clip")
    size: int = Field(48, ge=16, le=512, multiple_of=2, description="H = W, pixels")
    fps: int = Field(8, ge=1, le=60, description="pictures a second")
    contrast: float = Field(
        0.3, gt=0, le=0.5, description="brightness between a shape and what is behind it, white is 1"
    )
    pixel_sd: float = Field(0.15, ge=0, le=1, description="sd of the noise of every pixel in [0, 1]")
    crf: int = Field(26, ge=0, le=51, description="H.264 quality, 0 lossless to 51 worst")

    sample_rate: int = Field(16000, ge=16000, le=48000, description="samples a second of the sound")
    pitch_octaves: float = Field(1.5, ge=0, le=2, description="range of the videos' pitches, octaves")
    hiss_sd: float = Field(0.1, ge=0, le=0.5, description="sd of the noise of every sample in [-1, 1]")

    def counts(self) -> dict[str, int]:
        """How many clips each split has: train, valid, test."""
        return {"train": self.train_clips, "valid": self.valid_clips, "test": self.test_clips}

    def rendering_digest(self) -> str:
        """The identity of the clips: of the generator and its numbers, not of where they lie."""
        return digest({"generator": f"events {GENERATOR}", **self.numbers()})

    def numbers(self) -> dict[str, int | float]:
        """What decides the clips, by name."""
        return {name: getattr(self, name) for name in EventRendering.model_fields}
