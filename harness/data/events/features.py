"""What a clip of an event looks like to a model that does not read pixels: where which edges are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.data.clips.features import ClipFeatures


class EventFeatures(ClipFeatures):
    """How pixels, samples and words become the views `vision`, `audio` and `text`."""

    grid: int = Field(4, ge=1, le=64, description="vision: cells a side, D = orientations grid²")
    orientations: int = Field(8, ge=2, le=64, description="vision: directions that edges are told by")
    text_width: int = Field(32, ge=1, le=4096, description="text: D, of the fixed vectors of words")

    @property
    def vision_width(self) -> int:
        """D of `vision`."""
        return self.orientations * self.grid**2

    def look(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(T, D) `vision` of frames (T, H, W, 3)."""
        return edge_histograms(frames, self.grid, self.orientations)


def edge_histograms(frames: NDArray[np.uint8], grid: int, orientations: int) -> NDArray[np.float32]:
    """(T, grid² orientations) how much of a picture's edges lies in a cell and has a direction.

    The square roots of shares that sum to 1 over a picture, cells row by row, so that neither colour
    nor contrast is told; in the manner of histograms of oriented gradients (Dalal and Triggs 2005),
    from memory. A direction counts for the two orientations next to it, by how near it is; light to dark
    and dark to light are the same. A picture without any edge is all zeros.

    Args:
        frames: (T, H, W, 3); H and W are multiples of `grid`.
        grid: cells a side.
        orientations: directions between 0 and π.
    """
    count, height, width, _ = frames.shape
    grey = frames.sum(3, dtype=np.int32).astype(np.float32)
    down, across = np.gradient(grey, axis=(1, 2))
    place = (np.arctan2(down, across) / np.pi % 1) * orientations
    lower = np.floor(place)
    strength, share = np.hypot(down, across), place - lower
    cells = np.zeros((orientations, count, grid, grid), np.float32)
    for row in range(orientations):
        weight = strength * (
            (lower % orientations == row) * (1 - share) + ((lower + 1) % orientations == row) * share
        )
        cells[row] = weight.reshape(count, grid, height // grid, grid, width // grid).sum((2, 4))
    flat = cells.transpose(1, 2, 3, 0).reshape(count, -1)
    return np.sqrt(flat / np.maximum(flat.sum(1, keepdims=True), 1e-12)).astype(np.float32)
