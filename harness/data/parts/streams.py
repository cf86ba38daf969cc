"""Random streams that do not disturb each other."""

from __future__ import annotations

import hashlib
import json

import numpy as np


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """The generator of one purpose: equal arguments, equal draws, whatever else is drawn elsewhere."""
    name = json.dumps([seed, *purpose])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()))
