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
    smoothing: float = Field(
        1.0,
        ge=0,
        le=8,
        description="vision: sd in pixels that noise is smoothed by before edges are told",
    )
    text_width: int = Field(64, ge=1, le=4096, description="text: D, of the fixed vectors of words")

    @property
    def vision_width(self) -> int:
        """D of what `look` gives."""
        return self.orientations * self.grid**2

    @property
    def looks_for(self) -> str:
        """What `look` tells of a picture, for people."""
        return "directions of edges in a grid"

    def look(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(T, D) `vision` of frames (T, H, W, 3)."""
        return edge_histograms(frames, self.grid, self.orientations, self.smoothing)


def edge_histograms(
    frames: NDArray[np.uint8], grid: int, orientations: int, smoothing: float
) -> NDArray[np.float32]:
    """(T, grid² orientations) how much of a picture's edges lies in a cell and has a direction.

    The square roots of shares that sum to 1 over a picture, cells row by row, so that neither colour
    nor contrast is told; in the manner of histograms of oriented gradients (Dalal and Triggs 2005),
    from memory. A direction counts for the two orientations next to it, by how near it is; light to dark
    and dark to light are the same. A picture without any edge is all zeros.

    Args:
        frames: (T, H, W, 3); H and W are multiples of `grid`.
        grid: cells a side.
        orientations: directions between 0 and π.
        smoothing: sd of a Gaussian in pixels, that the pictures are seen through.
    """
    from scipy.ndimage import gaussian_filter

    count, height, width, _ = frames.shape
    grey = gaussian_filter(frames.sum(3).astype(np.float32), (0, smoothing, smoothing))
    down, across = np.gradient(grey, axis=(1, 2))
    place = (np.arctan2(down, across) / np.float32(np.pi) % 1) * orientations
    lower = place.astype(np.int64)
    strength, share = np.hypot(down, across), place - lower
    shape = (count, grid, grid, orientations)
    cell = (np.arange(size) * grid // size for size in (height, width))
    where = np.ix_(np.arange(count), *cell)
    flat = np.zeros(np.prod(shape))
    for bins, weight in ((lower, strength * (1 - share)), (lower + 1, strength * share)):
        cells = np.ravel_multi_index((*where, bins % orientations), shape)
        flat += np.bincount(cells.ravel(), weight.ravel(), len(flat))
    shares = flat.reshape(count, -1)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1e-12)
    return np.sqrt(shares).astype(np.float32)
