"""Simple features of raw clips, for models that do not read pixels: colours and band energies."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from harness.data.parts.scaling import Standardise
from harness.spec import BadInput, DataConfig

_FLOOR = 1e-8
"""Energy of what counts as silence, -80 dB."""


VisualFeatures = Literal["colours", "clip", "efficientnet_lite0"]
AcousticFeatures = Literal["log_mel", "wav2vec2", "openwakeword"]


class ClipFeatures(DataConfig):
    """How pixels and samples become the views `vision` and `audio`."""

    visual_features: VisualFeatures = Field(
        "colours",
        description="vision: colours (or what else the data set tells of a grid), or a network",
    )
    visual_tower: str = Field("ViT-B-32", description="vision, clip: open_clip's architecture")
    visual_weights: str | None = Field(
        None, description="vision, clip: tag in the local cache or file; null = random, of a fixed seed"
    )
    acoustic_features: AcousticFeatures = Field(
        "log_mel", description="audio: log_mel, or a network that hears 16000 samples a second"
    )
    acoustic_weights: str | None = Field(
        None, description="audio, wav2vec2: local folder; null = base size, random, of a fixed seed"
    )
    grid: int = Field(8, ge=1, le=64, description="vision: cells a side, D = 3 grid²")
    mel_bands: int = Field(24, ge=1, le=256, description="audio: D, mel bands")
    window_ms: float = Field(100.0, ge=5, le=1000, description="audio: length of a window, ms")
    hop_ms: float = Field(100.0, ge=1, le=1000, description="audio: from window to window, ms")
    standardise: Standardise = Field(
        "train", description="train: vision and audio columns to mean 0, sd 1 over train steps; none"
    )

    @model_validator(mode="after")
    def _weights_are_read(self) -> Self:
        for key, given, reader, features in (
            ("visual_weights", self.visual_weights, "clip", self.visual_features),
            ("acoustic_weights", self.acoustic_weights, "wav2vec2", self.acoustic_features),
        ):
            if given is not None and features != reader:
                raise ValueError(f"{key}: read by {reader} alone, given '{given}' for {features}")
        return self

    @property
    def vision_width(self) -> int:
        """D of what `look` gives."""
        return 3 * self.grid**2

    @property
    def looks_for(self) -> str:
        """What `look` tells of a picture, for people."""
        return "mean colours of a grid"

    def look(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(T, D) `vision` of frames (T, H, W, 3)."""
        return colour_grid(frames, self.grid)


def colour_grid(frames: NDArray[np.uint8], grid: int) -> NDArray[np.float32]:
    """(T, grid² 3) mean colours in [0, 1] of the cells of frames (T, H, W, 3), row by row.

    H and W are multiples of `grid`.
    """
    count, height, width, _ = frames.shape
    cells = frames.reshape(count, grid, height // grid, grid, width // grid, 3)
    # Rows first and in integers: many times faster than a mean over both axes at once.
    total = cells.sum(2, dtype=np.uint32).sum(3)
    return (total / (255 * height * width / grid**2)).astype(np.float32).reshape(count, -1)


def log_mel(sound: NDArray[np.float32], sample_rate: int, config: ClipFeatures) -> NDArray[np.float32]:
    """(T, mel_bands) log10 of band energies, a row per window that lies wholly in sound (S,).

    NumPy, because clips are read by several threads: each would start a Torch thread pool of its own.

    Raises:
        BadInput: the sound is shorter than one window.
    """
    window, hop = (round(ms * sample_rate / 1000) for ms in (config.window_ms, config.hop_ms))
    if len(sound) < window:
        found = 1000 * len(sound) / sample_rate
        raise BadInput(
            f"expected at least {config.window_ms:g} ms of sound, found {found:g}", key="window_ms"
        )
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    pieces = np.lib.stride_tricks.sliding_window_view(sound, window)[::hop]
    # Over the window's own energy, so that the same sound has the same level at any window length.
    power = np.abs(np.fft.rfft(pieces * shape)) ** 2 / np.square(shape).sum()
    energy = power @ mel_filters(config.mel_bands, window, sample_rate)
    return np.log10(np.maximum(energy, _FLOOR)).astype(np.float32)


@lru_cache(maxsize=8)
def mel_filters(bands: int, window: int, sample_rate: int) -> NDArray[np.float64]:
    """(window // 2 + 1, bands) triangles of height 1, evenly spaced in HTK mel up to Nyquist."""
    top = 2595 * np.log10(1 + sample_rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    bins = np.linspace(0, sample_rate / 2, window // 2 + 1)[:, None]
    rise = (bins - corners[:-2]) / np.diff(corners)[:-1]
    fall = (corners[2:] - bins) / np.diff(corners)[1:]
    return np.maximum(np.minimum(rise, fall), 0)
