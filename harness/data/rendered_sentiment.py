"""The embedded data set: clips made from a seed, in which a good teacher helps by construction."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from harness.data.clips.features import ClipFeatures
from harness.data.raw_clips import RawClips, RawClipsConfig
from harness.data.rendered.build import ensure
from harness.data.rendered.config import LABEL_RANGE, Rendering
from harness.registry import DATASETS
from harness.types import Dataset


class RenderedSentimentConfig(Rendering, ClipFeatures):
    """How the clips are made, where they are kept, and how they are read."""

    path: Path | None = Field(
        None, description="folder to keep the clips in; null = data/rendered_sentiment-<digest>"
    )

    @property
    def folder(self) -> Path:
        """Where the clips are, relative to the working directory unless `path` says otherwise."""
        return self.path or Path("data") / f"rendered_sentiment-{self.rendering_digest()}"

    def reading(self) -> RawClipsConfig:
        """The same clips as seen by the reader of raw clips."""
        shared = {name: getattr(self, name) for name in ClipFeatures.model_fields}
        return RawClipsConfig(
            **shared,
            path=self.folder,
            frames=self.frames,
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
        "words": 60,
        "grid": 4,
        "mel_bands": 8,
    },
)
class RenderedSentiment:
    """Rendered video clips of a known true score: noisy labels, an easy face, a hard text.

    Train and valid labels carry annotator noise, test targets are true scores. A teacher that sees
    the face knows more of the true score than a label says, so its advice is worth more than labels.
    """

    def __init__(self, config: RenderedSentimentConfig) -> None:
        self.config = config
        self._clips = RawClips(config.reading())

    def prepare(self) -> None:
        """Makes the clips unless they are there; a damaged set is refused, naming the file."""
        ensure(self.config.folder, self.config)

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of label.csv and of every clip; makes them first if needed."""
        self.prepare()
        return self._clips.fingerprint()

    def load(self) -> Dataset:
        """The clips, read from their files like any raw clips; makes them first if needed."""
        self.prepare()
        return self._clips.load()
