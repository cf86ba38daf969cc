"""What is in a video file: pictures and the sound of its own track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.spec import BadInput

if TYPE_CHECKING:
    from av.container import InputContainer


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
    import av

    try:
        with av.open(str(file)) as container:
            pictures, sound = _decode(container, size, sample_rate, file)
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except (av.FFmpegError, UnicodeDecodeError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"cannot be decoded: {reason}", file=file, key="path") from error
    if len(pictures) < frames:
        raise BadInput(
            f"expected at least {frames} frames, found {len(pictures)}", file=file, key="frames"
        )
    chosen = [pictures[int((i + 0.5) * len(pictures) / frames)] for i in range(frames)]
    return Media(np.stack(_colours(chosen)), sound)


def _decode(
    container: InputContainer, size: int, sample_rate: int, file: Path
) -> tuple[list[Any], NDArray[np.float32]]:
    from av.audio.resampler import AudioResampler
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

    streams = [(*found[:1],) for found in (container.streams.video, container.streams.audio)]
    for found, name in zip(streams, ("video", "audio"), strict=True):
        if not found:
            raise BadInput(f"has no {name} track", file=file, key="path")
        _be_strict(found[0])
    resampler = AudioResampler(format="fltp", layout="mono", rate=sample_rate)
    pictures: list[Any] = []
    sound: list[Any] = []
    shrink = VideoReformatter()
    for piece in container.decode(*(found[0] for found in streams)):
        if getattr(piece, "is_corrupt", False):
            raise BadInput("cannot be decoded: a frame is damaged", file=file, key="path")
        if isinstance(piece, VideoFrame):
            # Shrunk at once: a long clip in full size would not fit in memory.
            pictures.append(
                shrink.reformat(piece, width=size, height=size, interpolation="AREA", threads=1)
            )
        else:
            sound += resampler.resample(piece)
    sound += resampler.resample(None) if sound else []
    blocks = [block.to_ndarray()[0] for block in sound]
    return pictures, np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _colours(pictures: list[Any]) -> list[NDArray[np.uint8]]:
    from av.video.reformatter import VideoReformatter

    # One for all pictures: each new one sets up its conversion tables again.
    convert = VideoReformatter()
    return [convert.reformat(picture, format="rgb24", threads=1).to_ndarray() for picture in pictures]


def _be_strict(stream: Any) -> None:
    # Without it the decoders paint over what is missing, and a damaged clip looks like a clip.
    stream.codec_context.options = {"err_detect": "explode"}
    stream.codec_context.thread_count = 1
