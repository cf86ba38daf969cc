"""Writing a clip: H.264 pictures and an AAC track in one mp4 file, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

# One thread, and no encoder version or creation time in the file: equal input has to give equal bytes.
_H264 = {"preset": "ultrafast", "x264-params": "threads=1:lookahead-threads=1:sliced-threads=0"}
_AAC = {"aac_coder": "fast"}  # a third of the time of the default, for a sound that is simple anyway
_BITEXACT = {"fflags": "+bitexact"}


class Recording(Protocol):
    """What an encoder has to know."""

    @property
    def fps(self) -> int:
        """Pictures a second."""

    @property
    def crf(self) -> int:
        """H.264 quality, 0 lossless to 51 worst."""

    @property
    def sample_rate(self) -> int:
        """Samples a second of the sound."""


def write_clip(
    file: Path, frames: NDArray[np.uint8], sound: NDArray[np.float32], config: Recording
) -> None:
    """Writes one clip.

    Args:
        file: the mp4 file.
        frames: (T, H, W, 3) RGB; H and W even, as 4:2:0 pictures need.
        sound: (S,) mono samples in [-1, 1].
        config: says how many pictures and samples a second has, and the H.264 quality.
    """
    with av.open(str(file), "w", format="mp4", options=_BITEXACT) as container:
        video = container.add_stream(
            "libx264", rate=config.fps, options={**_H264, "crf": str(config.crf)}
        )
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=config.sample_rate, layout="mono", options=_AAC)
        for track in (video, audio):
            track.codec_context.thread_count = 1
            track.codec_context.flags |= av.codec.context.Flags.bitexact
        for track, pieces in ((video, _pictures(frames)), (audio, _blocks(sound, config.sample_rate))):
            for piece in pieces:
                container.mux(track.encode(piece))
            container.mux(track.encode(None))


def _pictures(frames: NDArray[np.uint8]) -> Iterator[Any]:
    # Left to the encoder, each picture would start threads of its own to be converted.
    convert = VideoReformatter()
    for position, pixels in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        picture = convert.reformat(picture, format="yuv420p", threads=1)
        picture.pts = position
        yield picture


def _blocks(sound: NDArray[np.float32], sample_rate: int) -> Iterator[Any]:
    block = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
    block.sample_rate = sample_rate
    block.pts = 0
    yield block
