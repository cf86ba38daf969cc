"""Clips made here, of generated or real sentences, in which a good teacher helps by construction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from harness.data.clips.features import ClipFeatures
from harness.data.clips.like_raw import LikeRawClips
from harness.data.icwsm14.prepare import prepare as prepare_icwsm14
from harness.data.raw_clips import RawClips, RawClipsConfig
from harness.data.rendered.build import ensure
from harness.data.rendered.config import LABEL_RANGE, Rendering
from harness.data.rendered.label_csv import LabelCsv
from harness.data.rendered.rated import Rated
from harness.data.rendered.source import Generated, SentenceChoice, Source
from harness.registry import DATASETS
from harness.spec import Condition
from harness.types import Batch, Dataset


class RenderedSentimentConfig(Rendering, SentenceChoice, ClipFeatures):
    """How the clips are made, where they are kept, and how they are read."""

    path: Path | None = Field(
        None, description="folder to keep the clips in; null = data/rendered_sentiment-<digest>"
    )

    frames_read: int | None = Field(
        None, ge=1, description="T, taken evenly from each clip; null = `frames`"
    )

    @model_validator(mode="after")
    def _are_there(self) -> Self:
        if self.frames_read is not None and self.frames_read > self.frames:
            raise ValueError(
                f"frames_read: expected at most frames {self.frames}, given {self.frames_read}"
            )
        return self

    def source(self) -> Source:
        """What the sentences come from; no file is opened yet."""
        if self.sentences == "label_csv" and self.sentences_path is not None:
            return LabelCsv(self.sentences_path)
        if self.sentences == "icwsm14":
            return Rated(self.sentences_path, self.label_source or "single_rating")
        return Generated()

    def reading(self, folder: Path) -> RawClipsConfig:
        """The clips in `folder` as seen by the reader of raw clips."""
        shared = {name: getattr(self, name) for name in ClipFeatures.model_fields}
        return RawClipsConfig(
            **shared,
            path=folder,
            frames=self.frames_read or self.frames,
            size=self.size,
            sample_rate=self.sample_rate,
            label_range=LABEL_RANGE,
        )


@DATASETS.register(
    "rendered_sentiment",
    config=RenderedSentimentConfig,
    paper="ours: the positive control of step distillation, after VideoAdviser, arXiv 2309.15494",
    tiny={
        "train_clips": 24,
        "valid_clips": 12,
        "test_clips": 16,
        "clips_per_video": 2,
        "size": 32,
        "frames": 4,
        "longest": None,
        "frames_read": None,
        "words": 60,
        "visual_features": "colours",
        "visual_weights": None,
        "acoustic_features": "log_mel",
        "acoustic_weights": None,
        "grid": 4,
        "mel_bands": 8,
    },
)
class RenderedSentiment(LikeRawClips):
    """Rendered video clips of a known true score: noisy labels, an easy face, a hard text.

    Train and valid labels carry annotator noise, test targets are true scores. A teacher that sees
    the face knows more of the true score than a label says, so its advice is worth more than labels.
    With real sentences the set is semi-real: words and scores are found, faces and voices are made.
    """

    materials: ClassVar[Mapping[str, Callable[[Path | None, Path | None], tuple[str, ...]]]] = {
        "icwsm14": prepare_icwsm14
    }
    """Sentences that can be brought here: a name, and what prepares them from an archive in a folder."""

    def __init__(self, config: RenderedSentimentConfig) -> None:
        self.config = config
        self._source = config.source()

    def prepare(self) -> None:
        """Makes the clips unless they are there; a damaged set is refused, naming the file."""
        ensure(self.folder(), self.config, self._source)

    def load(self) -> Dataset:
        """The clips, read from their files like any raw clips; makes them first if needed."""
        self.prepare()
        data = self.clips().load()
        return replace(data, findings=(*self._source.findings(self.config), *data.findings))

    def degraded(self, data: Dataset, condition: Condition) -> Batch:
        """The test clips with noise in their recordings, like those of any raw clips."""
        return self.clips().degraded(data, condition)

    def folder(self) -> Path:
        """Where the clips are, relative to the working directory unless `path` says otherwise."""
        digest = self.config.rendering_digest(self._source.identity())
        return self.config.path or Path("data") / f"rendered_sentiment-{digest}"

    def clips(self) -> RawClips:
        """The clips as raw clips are read."""
        return RawClips(self.config.reading(self.folder()))
