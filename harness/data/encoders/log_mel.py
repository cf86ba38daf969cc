"""Statistics of log mel energies: sounds as vectors without any weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.clips.features import ClipFeatures, log_mel
from harness.data.encoders.contract import RATE, Sound

_BANDS, _WINDOW_MS, _HOP_MS = 64, 25.0, 10.0


class LogMel:
    """Mean and sd over time of the log10 energies in 64 mel bands (windows of 25 ms, every 10 ms)."""

    def identity(self) -> str:
        """Its parameters."""
        return f"log_mel: {_BANDS} bands, {_WINDOW_MS:g} ms every {_HOP_MS:g} ms, {RATE} Hz, mean and sd"

    def encode(self, sounds: Sequence[Sound]) -> Tensor:
        """(N, 128): 64 means, 64 sds; a sound below one window is heard with silence after it."""
        return torch.from_numpy(np.stack([_statistics(sound) for sound in sounds]))


def _statistics(sound: Sound) -> NDArray[np.float32]:
    window = round(_WINDOW_MS * RATE / 1000)
    whole = np.pad(sound, (0, max(0, window - len(sound))))
    config = ClipFeatures(mel_bands=_BANDS, window_ms=_WINDOW_MS, hop_ms=_HOP_MS)
    bands = log_mel(whole, RATE, config)
    return np.concatenate([bands.mean(0), bands.std(0)])
