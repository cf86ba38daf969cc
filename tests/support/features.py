"""A feature pickle as MMSA writes it, a few clips large."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

SIZES = {"train": 16, "valid": 8, "test": 8}
WIDTHS = {"text": 6, "audio": 5, "vision": 7}


def split(count: int, name: str) -> dict[str, Any]:
    """One split: random features, labels in range, two clips a video."""
    random = np.random.default_rng(len(name))
    features = {
        key: random.normal(size=(count, 4, width)).astype(np.float32) for key, width in WIDTHS.items()
    }
    return {
        "raw_text": [f"WORD {n} WAS SAID" for n in range(count)],
        "id": [f"{name}{n // 2}$_${n}" for n in range(count)],
        "audio_lengths": [4] * count,
        "vision_lengths": [4] * count,
        "annotations": ["Neutral"] * count,
        "regression_labels": random.uniform(-3, 3, count).astype(np.float32),
        **features,
    }


def content() -> dict[str, Any]:
    """The three splits."""
    return {name: split(count, name) for name, count in SIZES.items()}


def write_features(path: Path, what: dict[str, Any] | None = None) -> Path:
    """The pickle at `path`."""
    path.write_bytes(pickle.dumps(content() if what is None else what))
    return path
