"""Where the chances come from by which something is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Draws(Protocol):
    """Uniform numbers in [0, 1) for clips, and for their steps."""

    def clips(self, ids: Sequence[str], purpose: str) -> Tensor:
        """(B,) one a clip."""

    def steps(self, ids: Sequence[str], purpose: str, count: int) -> Tensor:
        """(B, count) one a step."""

    def normal(self, ids: Sequence[str], purpose: str, count: int) -> Tensor:
        """(B, count) standard normal numbers."""


class ByClip:
    """Numbers that follow from a clip's id and the purpose alone.

    So the same clips are met whatever the model, the seed of its training, the order of the clips,
    or the rate; and a clip's first steps have the same numbers however long it is padded.
    """

    def clips(self, ids: Sequence[str], purpose: str) -> Tensor:
        """(B,) one a clip, of the first 53 bits of a hash."""
        return torch.tensor([_hashed(clip, purpose) / 2**64 for clip in ids], dtype=torch.float64)

    def steps(self, ids: Sequence[str], purpose: str, count: int) -> Tensor:
        """(B, count) one a step, from a generator a clip."""
        return torch.from_numpy(np.stack([_seeded(clip, purpose).random(count) for clip in ids]))

    def normal(self, ids: Sequence[str], purpose: str, count: int) -> Tensor:
        """(B, count) standard normal numbers, from a generator a clip."""
        rows = [_seeded(clip, purpose).standard_normal(count) for clip in ids]
        return torch.from_numpy(np.stack(rows))


@dataclass(frozen=True)
class FromStream:
    """Fresh numbers of a generator at every call, as training wants them."""

    generator: torch.Generator

    def clips(self, ids: Sequence[str], purpose: str) -> Tensor:
        """(B,) one a clip."""
        return torch.rand(len(ids), generator=self.generator, dtype=torch.float64)

    def steps(self, ids: Sequence[str], purpose: str, count: int) -> Tensor:
        """(B, count) one a step."""
        return torch.rand(len(ids), count, generator=self.generator, dtype=torch.float64)

    def normal(self, ids: Sequence[str], purpose: str, count: int) -> Tensor:
        """(B, count) standard normal numbers."""
        return torch.randn(len(ids), count, generator=self.generator)


def _hashed(clip: str, purpose: str) -> int:
    digest = hashlib.blake2b(f"{purpose}\0{clip}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _seeded(clip: str, purpose: str) -> np.random.Generator:
    # NumPy's, because torch's first numbers depend on how many are asked for.
    return np.random.default_rng(_hashed(clip, purpose))
