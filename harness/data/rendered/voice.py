"""A voice that tells a score: its pitch and its energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.data.rendered.config import Rendering

_HARMONICS = 6
_LOUDNESS = 0.08
"""Amplitude of the first harmonic at score 0; +18 dB keeps the sum of all harmonics below 1.6."""


@dataclass(frozen=True)
class Throat:
    """What the clips of one video have in common.

    Attributes:
        pitch_hz: pitch at score 0.
        tilt: how fast harmonics fade, amplitude of the k-th is k^-tilt.
    """

    pitch_hz: float
    tilt: float


def draw_throat(random: np.random.Generator) -> Throat:
    """A voice of random pitch and timbre."""
    return Throat(pitch_hz=random.uniform(150, 220), tilt=random.uniform(1.0, 1.6))


def sound(
    config: Rendering, throat: Throat, score: float, random: np.random.Generator, count: int
) -> NDArray[np.float32]:
    """(S,) samples in [-1, 1], as long as `count` pictures: a harmonic tone with vibrato and hiss."""
    seconds = np.arange(round(config.sample_rate * count / config.fps)) / config.sample_rate
    pitch = throat.pitch_hz * 2 ** (config.pitch_semitones * score / 12)
    vibrato = 0.3 * np.sin(2 * np.pi * 5 * seconds + random.uniform(0, 2 * np.pi))
    angle = 2 * np.pi * pitch * seconds + vibrato
    tone = sum(np.sin(k * angle) / k**throat.tilt for k in range(1, _HARMONICS + 1))
    loud = _LOUDNESS * 10 ** (config.energy_db * score / 20)
    hiss = config.hiss_sd * random.standard_normal(len(seconds))
    return np.clip(loud * tone + hiss, -1, 1).astype(np.float32)
