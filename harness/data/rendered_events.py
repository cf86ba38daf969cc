"""Clips of events made here, in which a teacher that reads captions sees through noisy labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import Field, model_validator

from harness.data.clips.like_raw import LikeRawClips
from harness.data.events.build import ensure
from harness.data.events.captions import CLASSES, word_vectors
from harness.data.events.config import EventRendering
from harness.data.events.features import EventFeatures
from harness.data.events.script import script
from harness.data.parts.checks import SPLITS
from harness.data.parts.sequences import pad
from harness.data.raw_clips import RawClips, RawClipsConfig
from harness.registry import DATASETS
from harness.types import Batch, DataInfo, Dataset


class RenderedEventsConfig(EventRendering, EventFeatures):
    """How the clips are made, where they are kept, and how they are read."""

    path: Path | None = Field(
        None, description="folder to keep the clips in; null = data/rendered_events-<digest>"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.size % self.grid:
            raise ValueError(f"grid: expected a divisor of size {self.size}, given {self.grid}")
        return self


class EventClipsConfig(EventFeatures, RawClipsConfig):
    """The clips as seen by the reader of raw clips, but for what their pictures are described by."""


@DATASETS.register(
    "rendered_events",
    config=RenderedEventsConfig,
    paper="ours: the positive control of distillation in retrieval, after VideoAdviser, "
    "arXiv 2309.15494",
    tiny={
        "train_clips": 40,
        "valid_clips": 20,
        "test_clips": 20,
        "clips_per_video": 2,
        "size": 32,
        "frames": 4,
        "mel_bands": 8,
        "text_width": 16,
    },
)
class RenderedEvents(LikeRawClips):
    """Video clips of ten events, each a moving shape with a timbre: noisy labels, true captions.

    Train and valid labels carry noise, test labels are true. A caption names the true class, so that
    advice of a teacher that reads it is worth more than labels. Colours, place, tempo, pitch, level
    and noise tell nothing of the class; the clips of a video share them.
    """

    def __init__(self, config: RenderedEventsConfig) -> None:
        self.config = config

    def prepare(self) -> None:
        """Makes the clips unless they are there; a damaged set is refused, naming the file."""
        ensure(self.folder(), self.config)

    def load(self) -> Dataset:
        """The clips, read from their files like any raw clips; makes them first if needed."""
        self.prepare()
        data = self.clips().load()
        splits: dict[str, Any] = {split: self._classified(getattr(data, split)) for split in SPLITS}
        findings = (*data.findings, *self._findings())
        return replace(data, **splits, info=self._info(data.info), findings=findings)

    def folder(self) -> Path:
        """Where the clips are, relative to the working directory unless `path` says otherwise."""
        digest = self.config.rendering_digest()
        return self.config.path or Path("data") / f"rendered_events-{digest}"

    def clips(self) -> RawClips:
        """The clips as raw clips are read, but for what their pictures are described by."""
        shared = {name: getattr(self.config, name) for name in EventFeatures.model_fields}
        return RawClips(
            EventClipsConfig(
                **shared,
                path=self.folder(),
                frames=self.config.frames,
                size=self.config.size,
                sample_rate=self.config.sample_rate,
                label_range=(0.0, self.config.classes - 1.0),
            )
        )

    def _classified(self, clips: Batch) -> Batch:
        """The clips with classes for scores, and with the vectors of their words."""
        said = clips.transcripts or ()
        width = self.config.text_width
        words = pad([torch.from_numpy(word_vectors(text, width)) for text in said])
        return replace(clips, target=clips.target.round().long(), text=words)

    def _info(self, found: DataInfo) -> DataInfo:
        return replace(
            found,
            task="retrieval",
            classes=CLASSES[: self.config.classes],
            views=found.views | {"text"},
            text_width=self.config.text_width,
            text_steps=self.config.caption_words,
            features=f"{found.features}; fixed random vectors of the caption's words; made to teach: "
            f"{self.config.label_noise:.0%} of the labels of train and validation are false, none of "
            "test, and captions name the true class",
        )

    def _findings(self) -> tuple[str, ...]:
        """How many labels are false, and who is told the truth."""
        events = script(self.config)
        counts = self.config.counts()
        false = dict.fromkeys(counts, 0)
        for event in events:
            false[event.mode] += event.label != event.true_label
        shares = ", ".join(f"{split} {false[split]} of {counts[split]}" for split in SPLITS)
        return (f"labels of another class: {shares}", "captions name the true class of every clip")
