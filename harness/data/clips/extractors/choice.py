"""The extractors that a configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from harness.data.clips.extractors.contract import AcousticExtractor, VisualExtractor
from harness.data.clips.extractors.networks import ClipImages, LiteImages, SpeechStates, SpokenSteps
from harness.data.clips.extractors.weightless import Bands, Grid
from harness.data.clips.features import ClipFeatures
from harness.spec import View

BOTH: frozenset[View] = frozenset({"vision", "audio"})


@dataclass(frozen=True)
class Extractors:
    """What makes `vision` and `audio` of a clip.

    Attributes:
        eye, ear: what looks and what listens; None where its view was not asked for.
    """

    eye: VisualExtractor | None
    ear: AcousticExtractor | None

    def visual(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(T, D) of frames (T, H, W, 3), RGB; a clip's vectors do not depend on other clips."""
        return self._eye(frames)

    def acoustic(self, sound: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """(T', D') of mono samples (S,) in [-1, 1].

        Raises:
            BadInput: the sound is shorter than one window, or has another rate than is heard.
        """
        return self._ear(sound, sample_rate)

    @property
    def vision_width(self) -> int:
        """D of `visual`."""
        return self._eye.width

    @property
    def audio_width(self) -> int:
        """D' of `acoustic`."""
        return self._ear.width

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """What is run, by name; empty where features are computed without weights."""
        found = (part.networks for part in (self.eye, self.ear) if part is not None)
        return {name: network for networks in found for name, network in networks.items()}

    def notes(self) -> tuple[str, ...]:
        """Which features they are and whose weights made them, a line a view."""
        told = (("visual", self.eye), ("acoustic", self.ear))
        return tuple(f"{kind} features: {part.note()}" for kind, part in told if part is not None)

    @property
    def _eye(self) -> VisualExtractor:
        if self.eye is None:
            raise ValueError("the view vision was not asked for")
        return self.eye

    @property
    def _ear(self) -> AcousticExtractor:
        if self.ear is None:
            raise ValueError("the view audio was not asked for")
        return self.ear


def extractors(config: ClipFeatures, views: frozenset[View] = BOTH) -> Extractors:
    """The extractors of a configuration, ready to be called.

    Networks are built here, every time: what building costs is then seen by whoever measures it.

    Args:
        config: says which features.
        views: those that are wanted, of vision and audio; nothing is built for others.

    Raises:
        BadInput: weights or a package are not there.
    """
    eye = _eye(config) if "vision" in views else None
    ear = _ear(config) if "audio" in views else None
    return Extractors(eye, ear)


def _eye(config: ClipFeatures) -> VisualExtractor:
    if config.visual_features == "clip":
        return ClipImages(config.visual_tower, config.visual_weights)
    return LiteImages() if config.visual_features == "efficientnet_lite0" else Grid(config)


def _ear(config: ClipFeatures) -> AcousticExtractor:
    if config.acoustic_features == "wav2vec2":
        return SpeechStates(config.acoustic_weights)
    return SpokenSteps() if config.acoustic_features == "openwakeword" else Bands(config)
