"""Data sets that make clips in the layout of raw clips, and have them read like those."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol

from harness.contracts import ClipReading, Reader, ReadsClips
from harness.spec import View
from harness.types import Dataset


class Recorded(Reader, ReadsClips, Protocol):
    """A reader of recordings."""


class LikeRawClips(ABC):
    """A reader that makes clips, and leaves it to another how they are read."""

    @abstractmethod
    def prepare(self) -> None:
        """Makes the clips unless they are there; a damaged set is refused, naming the file."""

    @abstractmethod
    def clips(self) -> Recorded:
        """Who reads the clips that `prepare` makes."""

    def fingerprint(self) -> str:
        """SHA-256 over the bytes of label.csv and of every clip; makes them first if needed."""
        self.prepare()
        return self.clips().fingerprint()

    def reading(self, data: Dataset, views: frozenset[View]) -> ClipReading:
        """How clips are read stage by stage, like any raw clips."""
        return self.clips().reading(data, views)

    def hearing(self, sample_rate: int) -> ClipReading:
        """How the sound of clips is read for speech recognition."""
        return self.clips().hearing(sample_rate)

    def clip_file(self, clip: str) -> Path:
        """Where the recording of a clip lies."""
        return self.clips().clip_file(clip)

    def clip_seconds(self, clip: str) -> float:
        """How long the recording of a clip is, as its container says."""
        return self.clips().clip_seconds(clip)
