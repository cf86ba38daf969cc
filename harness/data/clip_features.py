"""Simple features of raw clips, for models that do not read pixels: colours and band energies."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from harness.data.scaling import Standardise
from harness.spec import BadInput, VariantConfig

_FLOOR = 1e-8
"""Energy of what counts as silence, -80 dB."""


class ClipFeatures(VariantConfig):
    """How pixels and samples become the views `vision` and `audio`."""

    grid: int = Field(8, ge=1, le=64, description="vision: cells a side, D = 3 grid²")
    mel_bands: int = Field(24, ge=1, le=256, description="audio: D, mel bands")
    window_ms: float = Field(100.0, ge=5, le=1000, description="audio: length of a window, ms")
    hop_ms: float = Field(100.0, ge=1, le=1000, description="audio: from window to window, ms")
    standardise: Standardise = Field(
        "train", description="train: vision and audio columns to mean 0, sd 1 over train steps; none"
    )

    @property
    def vision_width(self) -> int:
        """D of `vision`."""
        return 3 * self.grid**2


def colour_grid(frames: Tensor, grid: int) -> Tensor:
    """(T, 3 grid²) mean colours in [0, 1] of the cells of frames (T, 3, H, W), uint8."""
    pooled = torch.nn.functional.adaptive_avg_pool2d(frames.float() / 255, grid)
    return pooled.flatten(1)


def log_mel(sound: Tensor, sample_rate: int, config: ClipFeatures) -> Tensor:
    """(T, mel_bands) log10 of band energies, a row per window that lies wholly in sound (S,).

    Raises:
        BadInput: the sound is shorter than one window.
    """
    window, hop = (round(ms * sample_rate / 1000) for ms in (config.window_ms, config.hop_ms))
    if len(sound) < window:
        found = 1000 * len(sound) / sample_rate
        raise BadInput(
            f"expected at least {config.window_ms:g} ms of sound, found {found:g}", key="window_ms"
        )
    shape = torch.hann_window(window)
    spectrum = torch.stft(sound, window, hop, window=shape, center=False, return_complex=True)
    # Over the window's own energy, so that the same sound has the same level at any window length.
    power = spectrum.abs().square() / shape.square().sum()
    return (power.T @ mel_filters(config.mel_bands, window, sample_rate)).clamp(min=_FLOOR).log10()


def mel_filters(bands: int, window: int, sample_rate: int) -> Tensor:
    """(window // 2 + 1, bands) triangles of height 1, evenly spaced on the HTK mel scale up to Nyquist."""
    top = 2595 * torch.log10(torch.tensor(1 + sample_rate / 2 / 700, dtype=torch.float64))
    corners = 700 * (10 ** (torch.linspace(0, 1, bands + 2, dtype=torch.float64) * top / 2595) - 1)
    bins = torch.linspace(0, sample_rate / 2, window // 2 + 1, dtype=torch.float64)
    rise = (bins[:, None] - corners[:-2]) / corners.diff()[:-1]
    fall = (corners[2:] - bins[:, None]) / corners.diff()[1:]
    return torch.minimum(rise, fall).clamp(min=0).float()
