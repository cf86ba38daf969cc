"""The tracks of a clip: the file's bytes, demultiplexed and decoded, with nothing converted yet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.spec import BadInput

if TYPE_CHECKING:
    from av.container import InputContainer

Kind = Literal["video", "audio"]

THREADS = 1
"""Of each decoder, so that a clip costs the same whatever else the machine does."""


@dataclass(frozen=True)
class Tracks:
    """What was decoded of a clip.

    Attributes:
        pictures: those that were chosen, in full size and as stored.
        blocks: stretches of sound, one after the other, as stored.
    """

    pictures: tuple[Any, ...] = ()
    blocks: tuple[Any, ...] = ()


def content_of(file: Path) -> bytes:
    """The bytes of a clip's file.

    Raises:
        BadInput: there is no such file, or it cannot be read.
    """
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except OSError as error:
        raise BadInput(f"cannot be decoded: {error.strerror}", file=file, key="path") from error


def decode(content: bytes, file: Path, *, frames: int | None, sound: bool) -> Tracks:
    """Decodes what is asked for, all of it, so that no damage is missed, and keeps what is chosen.

    The clip is cut into `frames` stretches of equal length and the picture in the middle of each is
    chosen: of n pictures those at floor((i + 1/2) n / T). The container says n ahead; where it errs or
    says nothing, the pictures are decoded once more. So no more than T are ever held in full size.

    Args:
        content: of the file.
        file: named in messages.
        frames: T; None = no picture is decoded.
        sound: whether sound is decoded.

    Raises:
        BadInput: the content is damaged, a track is missing, or there are fewer than T pictures.
    """
    eye, blocks = _watch(content, file, frames, None, sound)
    if frames is None:
        return Tracks(blocks=blocks)
    if eye.seen < frames:
        raise BadInput(f"expected at least {frames} frames, found {eye.seen}", file=file, key="frames")
    if eye.seen != eye.expected:
        eye, _ = _watch(content, file, frames, eye.seen, sound=False)
    return Tracks(tuple(eye.kept), blocks)


def seconds(file: Path) -> float:
    """How long a clip is, as its container says; nothing is decoded.

    Raises:
        BadInput: the file is missing or no clip, or its container does not say.
    """
    import av

    with opened(str(file), file) as container:
        if container.duration is None:
            raise BadInput("expected a container that says how long it is", file=file, key="path")
        return float(container.duration / av.time_base)


def decoder_note(file: Path, kinds: tuple[Kind, ...]) -> str:
    """The library that decodes, and the decoders of a clip's tracks with their threads as read back."""
    import av

    with opened(str(file), file) as container:
        decoders = [_track(container, kind, file).codec_context for kind in kinds]
        for decoder in decoders:
            decoder.open(strict=False)
        found = ", ".join(
            f"{decoder.name} with {decoder.thread_count} thread{'s' * (decoder.thread_count != 1)}"
            for decoder in decoders
        )
    return f"decoded by PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}: {found}"


@contextmanager
def opened(source: str | io.BytesIO, file: Path) -> Iterator[InputContainer]:
    """The container, while it is read; what cannot be opened or decoded is a `BadInput`."""
    import av

    try:
        with av.open(source) as container:
            yield container
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except (av.FFmpegError, UnicodeDecodeError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"cannot be decoded: {reason}", file=file, key="path") from error


@dataclass
class _Eye:
    """Pictures as they are decoded: all counted, and those kept that are chosen of `expected`."""

    frames: int
    expected: int
    seen: int = 0
    kept: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chosen = {int((i + 0.5) * self.expected / self.frames) for i in range(self.frames)}

    def see(self, picture: Any) -> None:
        if self.seen in self._chosen:
            self.kept.append(picture)
        self.seen += 1


def _watch(
    content: bytes, file: Path, frames: int | None, expected: int | None, sound: bool
) -> tuple[_Eye, tuple[Any, ...]]:
    """One pass over the clip; `expected` is how many pictures it has, None = what its container says."""
    from av.video.frame import VideoFrame

    blocks: list[Any] = []
    with opened(io.BytesIO(content), file) as container:
        pictures = [] if frames is None else [_track(container, "video", file)]
        sounds = [_track(container, "audio", file)] if sound else []
        told = pictures[0].frames if pictures and expected is None else expected
        eye = _Eye(frames or 1, told or 0)
        for piece in container.decode(*pictures, *sounds):
            (eye.see if isinstance(_whole(piece, file), VideoFrame) else blocks.append)(piece)
    return eye, tuple(blocks)


def _track(container: InputContainer, kind: Kind, file: Path) -> Any:
    """The first track of a kind, whose decoder is told to report what is damaged."""
    found = getattr(container.streams, kind)
    if not found:
        raise BadInput(f"has no {kind} track", file=file, key="path")
    # Without it the decoders paint over what is missing, and a damaged clip looks like a clip.
    found[0].codec_context.options = {"err_detect": "explode"}
    found[0].codec_context.thread_count = THREADS
    return found[0]


def _whole(piece: Any, file: Path) -> Any:
    """The picture or stretch of sound, unless it is damaged."""
    if getattr(piece, "is_corrupt", False):
        raise BadInput("cannot be decoded: a frame is damaged", file=file, key="path")
    return piece
