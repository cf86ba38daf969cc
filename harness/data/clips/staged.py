"""Clips from their files to what a model sees of them, by stages, and no stage that is not needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.contracts import ClipReading
from harness.data.clips.extractors import Extractors
from harness.data.clips.media import to_frames, to_sound
from harness.data.clips.tracks import Kind, Tracks, content_of, decode, decoder_note
from harness.data.parts.checks import check_finite
from harness.data.parts.scaling import apply
from harness.data.parts.sequences import pad
from harness.spec import BadInput, StageName, View
from harness.types import Padded

RECORDED: frozenset[View] = frozenset({"frames", "vision", "audio"})
"""The views that are made of a recording."""


@dataclass(frozen=True)
class Underway:
    """Clips between two stages; what the stages that follow do not need is let go.

    Attributes:
        files: of B clips.
        contents: the bytes of each, once read and until decoded.
        tracks: what was decoded, until it is converted.
        frames: (T, H, W, 3) of each clip.
        sounds: (S,) of each clip.
        views: what is finished.
    """

    files: tuple[Path, ...]
    contents: tuple[bytes, ...] = ()
    tracks: tuple[Tracks, ...] = ()
    frames: tuple[NDArray[np.uint8], ...] = ()
    sounds: tuple[NDArray[np.float32], ...] = ()
    views: Mapping[View, Padded] = field(default_factory=dict)

    def with_view(self, view: View, seen: Padded) -> Underway:
        """The same clips with one view more."""
        return replace(self, views={**self.views, view: seen})


@dataclass(frozen=True)
class Stages:
    """What is done to clips one after the other, each clip by itself.

    Attributes:
        files: of all clips, by id.
        views: what is wanted of them.
        frames: T of the frames.
        size: H = W of the frames.
        sample_rate: of the sound.
        extractors: for vision and audio, if they are wanted.
        scales: mean and sd of the columns of features that are standardised, as of a `Dataset`.
    """

    files: Mapping[str, Path]
    views: frozenset[View]
    frames: int
    size: int
    sample_rate: int
    extractors: Extractors
    scales: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def reading(self) -> ClipReading:
        """The stages that the views need, and what has to be known of them.

        Raises:
            ValueError: a view that is not of a recording.
        """
        if self.views - RECORDED:
            asked, known = (", ".join(sorted(views)) for views in (self.views, RECORDED))
            raise ValueError(f"expected views of a recording ({known}), given {asked}")
        if not self.views:
            return ClipReading(())
        (*before, (stage, last)) = self._steps()
        steps = (*before, (stage, lambda clips: last(clips).views))
        notes = (*self._notes(), *self.extractors.notes())
        return ClipReading(steps, self.extractors.networks, notes)

    def hearing(self) -> ClipReading:
        """The stages from clip ids to sounds."""
        steps: tuple[tuple[StageName, Callable[[Any], Any]], ...] = (
            ("read", self.read),
            ("decode", self.decode),
            ("audio", lambda clips: self.hear(clips).sounds),
        )
        return ClipReading(steps, notes=self._notes())

    def _steps(self) -> list[tuple[StageName, Callable[[Any], Underway]]]:
        steps: list[tuple[StageName, Callable[[Any], Underway]]] = [
            ("read", self.read),
            ("decode", self.decode),
        ]
        if "video" in self._kinds:
            steps.append(("sample", self.sample))
        if "audio" in self.views:
            steps.append(("audio", self.hear))
        if "vision" in self.views:
            steps.append(("visual_features", self.look))
        if "audio" in self.views:
            steps.append(("acoustic_features", self.listen))
        return steps

    def read(self, ids: tuple[str, ...]) -> Underway:
        """From the disk to memory."""
        files = tuple(self.files[clip] for clip in ids)
        return Underway(files, contents=tuple(content_of(file) for file in files))

    def decode(self, clips: Underway) -> Underway:
        """The tracks that the views need, and no others."""
        frames, sound = (self.frames if "video" in self._kinds else None), "audio" in self._kinds
        given = zip(clips.contents, clips.files, strict=True)
        tracks = tuple(decode(*one, frames=frames, sound=sound) for one in given)
        return replace(clips, contents=(), tracks=tracks)

    def sample(self, clips: Underway) -> Underway:
        """The frames that were chosen, resized and in colour."""
        frames = tuple(to_frames(tracks.pictures, self.size) for tracks in clips.tracks)
        rest = tuple(replace(tracks, pictures=()) for tracks in clips.tracks)
        seen = replace(clips, frames=frames, tracks=rest)
        if "frames" not in self.views:
            return seen
        pixels = torch.stack([channels_first(one) for one in frames])
        return seen.with_view("frames", Padded(pixels, torch.ones(pixels.shape[:2], dtype=torch.bool)))

    def hear(self, clips: Underway) -> Underway:
        """The sound, mono and at the sample rate."""
        sounds = tuple(to_sound(tracks.blocks, self.sample_rate) for tracks in clips.tracks)
        return replace(clips, tracks=(), sounds=sounds)

    def look(self, clips: Underway) -> Underway:
        """Features of the frames, scaled."""
        found = pad([torch.from_numpy(self.extractors.visual(frames)) for frames in clips.frames])
        return clips.with_view("vision", self._scaled("vision", found))

    def listen(self, clips: Underway) -> Underway:
        """Features of the sound, scaled."""
        heard = zip(clips.files, clips.sounds, strict=True)
        found = [listened(self.extractors, file, sound, self.sample_rate) for file, sound in heard]
        features = pad([torch.from_numpy(one) for one in found])
        return clips.with_view("audio", self._scaled("audio", features))

    def _scaled(self, view: View, features: Padded) -> Padded:
        return apply(features, *self.scales[view]) if view in self.scales else features

    @property
    def _kinds(self) -> tuple[Kind, ...]:
        """The tracks that the views are made of."""
        watched: tuple[Kind, ...] = ("video",) if self.views & {"frames", "vision"} else ()
        heard: tuple[Kind, ...] = ("audio",) if "audio" in self.views else ()
        return watched + heard

    def _notes(self) -> tuple[str, ...]:
        # The first clip: of train, so that no clip that is timed is in the file cache by this.
        decoder = decoder_note(next(iter(self.files.values())), self._kinds)
        return (decoder, "clips of one call are read one after the other, all of each track is decoded")


def channels_first(frames: NDArray[np.uint8]) -> Tensor:
    """Frames (T, H, W, 3) as (T, 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))


def listened(
    extractors: Extractors, file: Path, sound: NDArray[np.float32], sample_rate: int
) -> NDArray[np.float32]:
    """Features (T', D') of the sound of a clip; faults name its file.

    Raises:
        BadInput: the sound has values that are no numbers, or is too short.
    """
    check_finite(file, "audio", sound)
    try:
        return extractors.acoustic(sound, sample_rate)
    except BadInput as error:
        raise error.at(file=file) from None
