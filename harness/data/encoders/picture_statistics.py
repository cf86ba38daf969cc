"""Colours and edges of a picture: pictures as vectors without any weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.encoders.contract import SIDE, Picture

_LEVELS, _GRID, _DIRECTIONS = 4, 4, 8


class PictureStatistics:
    """A colour histogram (4 levels a channel) and, in 4 × 4 cells, edges by 8 directions."""

    def identity(self) -> str:
        """Its parameters."""
        return (
            f"statistics: {_LEVELS}³ colours, edges in {_DIRECTIONS} directions of {_GRID} × {_GRID} "
            f"cells, {SIDE} pixels a side"
        )

    def encode(self, pictures: Sequence[Picture]) -> Tensor:
        """(N, 192): 64 shares of pixels, then 128 mean edge strengths, cells row by row."""
        rows = [np.concatenate([colours(picture), edges(picture)]) for picture in pictures]
        return torch.from_numpy(np.stack(rows).astype(np.float32))


def colours(picture: Picture) -> NDArray[np.float64]:
    """(64,) the share of pixels of each colour, red slowest; they sum to 1."""
    level = picture.reshape(-1, 3).astype(np.int64) * _LEVELS // 256
    place = (level[:, 0] * _LEVELS + level[:, 1]) * _LEVELS + level[:, 2]
    return np.bincount(place, minlength=_LEVELS**3) / len(place)


def edges(picture: Picture) -> NDArray[np.float64]:
    """(128,) mean gradient of lightness, in [0, 1] a pixel, by cell and direction.

    A direction is an undirected angle: light beside dark counts as dark beside light.
    """
    light = picture.astype(np.float64).mean(2) / 255
    down, across = np.gradient(light)
    # Upright, level and diagonal edges, the most frequent ones, are in the middle of a direction.
    direction = np.rint(np.arctan2(down, across) / np.pi * _DIRECTIONS).astype(np.int64) % _DIRECTIONS
    rows, columns = (np.arange(side) * _GRID // side for side in light.shape)
    place = (rows[:, None] * _GRID + columns[None, :]) * _DIRECTIONS + direction
    total = np.bincount(place.ravel(), np.hypot(down, across).ravel(), _GRID**2 * _DIRECTIONS)
    return total / (light.size / _GRID**2)
