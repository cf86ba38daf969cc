"""Stamps as vectors: every sound and picture decoded and encoded once in a process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from harness.data.clips.media import read_sound
from harness.data.encoders.choice import (
    PictureEncoderName,
    SoundEncoderName,
    picture_encoder,
    sound_encoder,
)
from harness.data.encoders.contract import RATE, SIDE
from harness.data.parts.checks import check_finite
from harness.data.stamp_packages.pictures import read_picture
from harness.data.stamp_packages.stamps import Stamp, find_stamps
from harness.spec import BadInput


def identities(audio: SoundEncoderName, vision: PictureEncoderName) -> tuple[str, str]:
    """What encodes sounds and what encodes pictures, with versions.

    Raises:
        BadInput: a package is not installed; the extra is named.
    """
    return (
        f"audio {sound_encoder(audio).identity()}",
        f"vision {picture_encoder(vision).identity()}",
    )


def digest(stamps: Sequence[Stamp], encoders: Sequence[str]) -> str:
    """SHA-256 over the bytes of every sound and picture, what they show, and the encoders."""
    lines = [f"{encoder}\n" for encoder in encoders]
    for one in stamps:
        sound, picture = (hashlib.sha256(part).hexdigest() for part in (one.sound, one.picture))
        lines.append(f"{one.id} {one.category} {one.name} {sound} {picture}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


# The folds of a study differ in which clips are tested, not in their vectors, which take seconds.
@lru_cache(maxsize=4)
def encoded(
    path: Path | None, audio: SoundEncoderName, vision: PictureEncoderName, found: str
) -> tuple[Tensor, Tensor]:
    """(N, D) of the sounds and (N, D') of the pictures below `path`, in the order of `find_stamps`.

    Args:
        path: as `find_stamps` takes it.
        audio: what encodes sounds, which are mixed to mono.
        vision: what encodes pictures.
        found: the digest of what is there, so that altered files are encoded anew.

    Raises:
        BadInput: a file cannot be decoded, or was altered since the digest.
    """
    stamps = find_stamps(path)
    if digest(stamps, identities(audio, vision)) != found:
        raise BadInput("altered while it was read", file=path or "", key="path")
    sounds = [read_sound(one.file, sample_rate=RATE, content=one.sound) for one in stamps]
    for one, sound in zip(stamps, sounds, strict=True):
        check_finite(one.file, one.id, sound)
    pictures = [read_picture(one.picture, one.suffix, side=SIDE, file=one.file) for one in stamps]
    return sound_encoder(audio).encode(sounds), picture_encoder(vision).encode(pictures)
