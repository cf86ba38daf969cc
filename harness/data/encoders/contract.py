"""What an encoder offers, whoever made its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Sound = NDArray[np.float32]
"""(S,) mono samples, nominally in [-1, 1], `RATE` of them a second."""

Picture = NDArray[np.uint8]
"""(SIDE, SIDE, 3) RGB."""

RATE = 16000
"""Samples a second that every encoder of sounds hears."""

SIDE = 224
"""Pixels a side that every encoder of pictures sees."""


class SoundEncoder(Protocol):
    """Sounds as vectors."""

    def identity(self) -> str:
        """Its name and whatever decides its numbers: parameters, versions, hashes of weights.

        Raises:
            BadInput: a package that it needs is not installed; the extra is named.
        """

    def encode(self, sounds: Sequence[Sound]) -> Tensor:
        """(N, D) float32, one finite vector a sound, of any length."""


class PictureEncoder(Protocol):
    """Pictures as vectors."""

    def identity(self) -> str:
        """As of `SoundEncoder`."""

    def encode(self, pictures: Sequence[Picture]) -> Tensor:
        """(N, D) float32, one finite vector a picture."""
