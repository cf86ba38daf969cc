"""Random streams: every purpose draws from its own, so that one more draw moves no other."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def derive_seed(seed: int, purpose: str) -> int:
    """A 63-bit seed from a trial's seed and what it is used for."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:8]) >> 1


def generator(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator of its own for one purpose."""
    return torch.Generator().manual_seed(derive_seed(seed, purpose))


def seed_world(seed: int, purpose: str) -> None:
    """Seeds the global streams of Python, NumPy and torch, for code that draws from them."""
    derived = derive_seed(seed, purpose)
    random.seed(derived)
    np.random.seed(derived % 2**32)  # noqa: NPY002 - libraries draw from the global stream
    torch.manual_seed(derived)
