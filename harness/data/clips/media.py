"""What is in a video file: pictures and the sound of its own track."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
    with _opened(file) as container:
        pictures, sound = _decode(container, size, sample_rate, file)
    if len(pictures) < frames:
        raise BadInput(
            f"expected at least {frames} frames, found {len(pictures)}", file=file, key="frames"
        )
    chosen = [pictures[int((i + 0.5) * len(pictures) / frames)] for i in range(frames)]
    return Media(np.stack(_colours(chosen)), sound)


def read_sound(file: Path, *, sample_rate: int, content: bytes | None = None) -> NDArray[np.float32]:
    """The samples (S,) of `read_media`, without the pictures being decoded.

    Args:
        file: what is read, and named in messages.
        sample_rate: samples a second after resampling.
        content: the bytes, of a sound that is no file of its own; None = those of `file`.

    Raises:
        BadInput: the file is missing, its sound is damaged, or it has none.
    """
    with _opened(file, content) as container:
        ear = _Ear(sample_rate)
        for piece in container.decode(_track(container, "audio", file)):
            ear.hear(_whole(piece, file))
        return ear.samples()


@contextmanager
def _opened(file: Path, content: bytes | None = None) -> Iterator[InputContainer]:
    """The file, while it is read; what cannot be opened or decoded is a `BadInput`."""
    import av

    try:
        with av.open(str(file) if content is None else io.BytesIO(content)) as container:
            yield container
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except (av.FFmpegError, UnicodeDecodeError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"cannot be decoded: {reason}", file=file, key="path") from error


def _decode(
    container: InputContainer, size: int, sample_rate: int, file: Path
) -> tuple[list[Any], NDArray[np.float32]]:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

    tracks = [_track(container, kind, file) for kind in ("video", "audio")]
    pictures: list[Any] = []
    ear = _Ear(sample_rate)
    shrink = VideoReformatter()
    for piece in container.decode(*tracks):
        if isinstance(_whole(piece, file), VideoFrame):
            # Shrunk at once: a long clip in full size would not fit in memory.
            pictures.append(
                shrink.reformat(piece, width=size, height=size, interpolation="AREA", threads=1)
            )
        else:
            ear.hear(piece)
    return pictures, ear.samples()


class _Ear:
    """Sound as it is decoded, piece by piece: mixed to mono and resampled."""

    def __init__(self, sample_rate: int) -> None:
        from av.audio.resampler import AudioResampler

        self._resampler = AudioResampler(format="fltp", layout="mono", rate=sample_rate)
        self._heard: list[Any] = []

    def hear(self, piece: Any) -> None:
        self._heard += self._resampler.resample(piece)

    def samples(self) -> NDArray[np.float32]:
        """(S,) all that was heard; nothing more can be heard then."""
        self._heard += self._resampler.resample(None) if self._heard else []
        blocks = [block.to_ndarray()[0] for block in self._heard]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _track(container: InputContainer, kind: Literal["video", "audio"], file: Path) -> Any:
    """The first track of a kind, whose decoder is told to report what is damaged."""
    found = getattr(container.streams, kind)
    if not found:
        raise BadInput(f"has no {kind} track", file=file, key="path")
    # Without it the decoders paint over what is missing, and a damaged clip looks like a clip.
    found[0].codec_context.options = {"err_detect": "explode"}
    found[0].codec_context.thread_count = 1
    return found[0]


def _whole(piece: Any, file: Path) -> Any:
    """The picture or stretch of sound, unless it is damaged."""
    if getattr(piece, "is_corrupt", False):
        raise BadInput("cannot be decoded: a frame is damaged", file=file, key="path")
    return piece


def _colours(pictures: list[Any]) -> list[NDArray[np.uint8]]:
    from av.video.reformatter import VideoReformatter

    # One for all pictures: each new one sets up its conversion tables again.
    convert = VideoReformatter()
    return [convert.reformat(picture, format="rgb24", threads=1).to_ndarray() for picture in pictures]
