"""What is in a video file: pictures and the sound of its own track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.clips.tracks import content_of, decode


@dataclass(frozen=True)
class Media:
    """A decoded clip.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        sound: (S,) float32 mono samples, nominally in [-1, 1].
    """

    frames: NDArray[np.uint8]
    sound: NDArray[np.float32]


def read_media(file: Path, *, frames: int, size: int, sample_rate: int) -> Media:
    """Decodes a clip in one pass.

    The clip is cut into `frames` stretches of equal length and the picture in the middle of each is
    taken: of n pictures those at floor((i + 1/2) n / T). Pictures are stretched to size × size by
    area averaging; sound is mixed to mono and resampled.

    Raises:
        BadInput: the file is missing, damaged, has no sound, or has fewer than `frames` pictures.
    """
    tracks = decode(content_of(file), file, frames=frames, sound=True)
    return Media(to_frames(tracks.pictures, size), to_sound(tracks.blocks, sample_rate))


def read_sound(file: Path, *, sample_rate: int, content: bytes | None = None) -> NDArray[np.float32]:
    """The samples (S,) of `read_media`, without the pictures being decoded.

    Args:
        file: what is read, and named in messages.
        sample_rate: samples a second after resampling.
        content: the bytes, of a sound that is no file of its own; None = those of `file`.

    Raises:
        BadInput: the file is missing, its sound is damaged, or it has none.
    """
    given = content_of(file) if content is None else content
    return to_sound(decode(given, file, frames=None, sound=True).blocks, sample_rate)


def to_frames(pictures: Sequence[Any], size: int) -> NDArray[np.uint8]:
    """(T, size, size, 3) RGB of T pictures as they were decoded, by area averaging."""
    from av.video.reformatter import VideoReformatter

    # One each for all pictures: a new one sets up its conversion tables again. And two steps, because
    # colours of few pixels are cheaper than those of many.
    shrink, convert = VideoReformatter(), VideoReformatter()
    small = [
        shrink.reformat(picture, width=size, height=size, interpolation="AREA", threads=1)
        for picture in pictures
    ]
    return np.stack([convert.reformat(one, format="rgb24", threads=1).to_ndarray() for one in small])


def to_sound(blocks: Sequence[Any], sample_rate: int) -> NDArray[np.float32]:
    """(S,) blocks of sound as they were decoded, one after the other, mixed to mono and resampled."""
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="fltp", layout="mono", rate=sample_rate)
    # None is the end of what is heard; without any sound there is nothing to end.
    ends = [None] if blocks else []
    heard = [piece for block in [*blocks, *ends] for piece in resampler.resample(block)]
    samples = [piece.to_ndarray()[0] for piece in heard]
    return np.concatenate(samples) if samples else np.zeros(0, np.float32)
