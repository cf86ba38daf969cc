"""Features that are computed without any weights: what pictures show in a grid, and band energies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from harness.data.clips.features import ClipFeatures, log_mel


@dataclass(frozen=True)
class Grid:
    """What the configuration itself sees in frames: mean colours of the cells of a grid."""

    config: ClipFeatures
    networks: ClassVar[Mapping[str, nn.Module]] = {}

    @property
    def width(self) -> int:
        """D, three colours a cell."""
        return self.config.vision_width

    def note(self) -> str:
        """What is seen, and in how many cells."""
        return f"{self.config.looks_for} of {self.config.grid} × {self.config.grid} cells, no weights"

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(T, D) of frames (T, H, W, 3)."""
        return self.config.look(frames)


@dataclass(frozen=True)
class Bands:
    """The log energies of mel bands."""

    config: ClipFeatures
    networks: ClassVar[Mapping[str, nn.Module]] = {}

    @property
    def width(self) -> int:
        """D', the bands."""
        return self.config.mel_bands

    def note(self) -> str:
        """Bands and windows."""
        config = self.config
        return (
            f"log mel energies in {config.mel_bands} bands, {config.window_ms:g} ms every "
            f"{config.hop_ms:g} ms, no weights"
        )

    def __call__(self, sound: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """(T', D') of samples (S,)."""
        return log_mel(sound, sample_rate, self.config)
