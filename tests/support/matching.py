"""Outputs of a retrieval model and teacher from NumPy arrays, and their formulas as loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from toy_events import ToyEvents, ToyEventsConfig

from harness.types import Batch, Outputs

EVENTS = ToyEvents(ToyEventsConfig()).load()
Matrix = NDArray[np.float64]


def clips(classes: list[int]) -> Batch:
    """Clips of these classes."""
    batch = EVENTS.train.take(torch.arange(len(classes)))
    return replace(batch, target=torch.tensor(classes))


def judging(factors: Matrix) -> Outputs:
    """Outputs with match factors (B, M + 1)."""
    return Outputs(match=torch.as_tensor(factors))


def searching(audio: Matrix, vision: Matrix) -> Outputs:
    """Outputs with embeddings (B, D) of sounds and pictures."""
    return Outputs(audio_embedding=torch.as_tensor(audio), vision_embedding=torch.as_tensor(vision))


def scores_by_hand(factors: Matrix) -> Matrix:
    """(B, B) match scores, pair by pair."""
    return np.array(
        [[1 / (1 + np.exp(-(a[:-1] @ b[:-1] + (a[-1] + b[-1]) / 2))) for b in factors] for a in factors]
    )


def cosines_by_hand(audio: Matrix, vision: Matrix) -> Matrix:
    """(B, B) cosines, pair by pair."""
    return np.array([[a @ v / np.sqrt((a @ a) * (v @ v)) for v in vision] for a in audio])


def certain(classes: list[int]) -> Matrix:
    """Factors (B, M + 1) of a teacher that knows the classes: scores of 1 within one, 0 across."""
    return np.column_stack((np.sqrt(80) * np.eye(max(classes) + 1)[classes], np.full(len(classes), -40)))
