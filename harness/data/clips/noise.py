"""Noise in a recording: hiss over its sound, pictures out of focus."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def hissing(sound: NDArray[np.float32], level: float, clip: str) -> NDArray[np.float32]:
    """The samples (S,) with white noise of `level` times their own sd; level 1 is 0 dB SNR.

    The noise follows from the clip's id alone, at any other level it is the same and louder or softer.
    Nothing is clipped to [-1, 1], which would take from the noise; digital silence stays silent.
    """
    digest = hashlib.blake2b(f"noise/sound\0{clip}".encode(), digest_size=16).digest()
    noise = np.random.default_rng(int.from_bytes(digest)).standard_normal(len(sound), np.float32)
    # In double precision: the mean square of a minute of samples is a long sum.
    return sound + float(level * sound.std(dtype=np.float64)) * noise


def blurred(frames: NDArray[np.uint8], sd: float) -> NDArray[np.uint8]:
    """Frames (T, 3, H, W) under a Gaussian of that sd in pixels, each channel by itself.

    Beyond its border a picture goes on as its mirror image; values are rounded once, at the end.
    """
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(frames.astype(np.float32), (0, 0, sd, sd), mode="reflect")
    # Rounding alone could still leave the range by a last bit.
    return np.rint(smooth).clip(0, 255).astype(np.uint8)
