"""What an extractor offers, with weights or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn


class VisualExtractor(Protocol):
    """Pictures as vectors."""

    @property
    def width(self) -> int:
        """D."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """What it runs, by name; empty without weights, or where they are no torch module."""

    def note(self) -> str:
        """What it computes and whose weights it has, in a line."""

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(T, D) of frames (T, H, W, 3), RGB."""


class AcousticExtractor(Protocol):
    """Sound as steps of vectors."""

    @property
    def width(self) -> int:
        """D'."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """As of `VisualExtractor`."""

    def note(self) -> str:
        """As of `VisualExtractor`."""

    def __call__(self, sound: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """(T', D') of mono samples (S,) in [-1, 1].

        Raises:
            BadInput: the sound is shorter than one window, or has another rate than is heard.
        """
