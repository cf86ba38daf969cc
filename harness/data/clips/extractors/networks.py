"""Features that a network makes of pictures or of sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from harness.data.encoders.contract import RATE, SIDE
from harness.data.encoders.efficientnet_lite0 import EfficientNetLite0
from harness.data.encoders.openwakeword import WIDTH, WINDOW, OpenWakeWord
from harness.nn.clip.vision import image_width, vision_tower
from harness.nn.speech.wav2vec2 import Wav2Vec2
from harness.spec import BadInput

_FRAMES = 16
"""Pictures at once: those of a long clip would not fit in memory together."""

_TURN = Lock()
"""Clips are read by several threads, and a network uses all cores by itself: one at a time."""


class ClipImages:
    """The image vectors of a CLIP (Radford et al. 2021, arXiv 2103.00020), one a frame.

    Raises:
        BadInput: under visual_tower or visual_weights; no such tower, or they are not there.
    """

    def __init__(self, tower: str, weights: str | None) -> None:
        with keyed("visual"):
            self._tower = vision_tower(tower, weights)
            self.width = image_width(tower)
        self._name = tower
        self._whose = "random weights" if weights is None else f"weights {weights}"
        self.networks: Mapping[str, nn.Module] = {f"open_clip {tower}": self._tower.visual}

    def note(self) -> str:
        """Tower, weights and width."""
        return f"open_clip {self._name}, {self._whose}, {self.width} a frame"

    @torch.inference_mode()
    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(T, D) of frames (T, H, W, 3), resized and scaled as the tower asks; not normalised."""
        return _by_parts(frames, self._tower.image_vectors)


class LiteImages:
    """The last feature map of EfficientNet-Lite0, averaged over places: 1280 a frame.

    Raises:
        BadInput: under visual_features; the extra is not installed.
    """

    width = 1280

    def __init__(self) -> None:
        with keyed("visual"):
            self._encoder = EfficientNetLite0()
            self.networks: Mapping[str, nn.Module] = {"EfficientNet-Lite0": self._encoder.features()}

    def note(self) -> str:
        """The network and its width."""
        return f"EfficientNet-Lite0, ImageNet weights, {self.width} a frame"

    @torch.inference_mode()
    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(T, D) of frames (T, H, W, 3), resized to 224 pixels a side."""
        return _by_parts(frames, self._vectors)

    def _vectors(self, pixels: Tensor) -> Tensor:
        if pixels.shape[-2:] != (SIDE, SIDE):
            seen = interpolate(pixels.float(), (SIDE, SIDE), mode="bicubic", antialias=True)
            pixels = seen.clamp(0, 255)
        return self._encoder.vectors(pixels)


class SpeechStates:
    """The last hidden states of wav2vec 2.0, every 20 ms.

    Raises:
        BadInput: under acoustic_weights; they are not there, or of another kind.
    """

    def __init__(self, weights: str | None) -> None:
        with keyed("acoustic"):
            self._network = Wav2Vec2(weights)
        self.width = self._network.width
        self._whose = "base size, random weights" if weights is None else f"weights {weights}"
        self.networks: Mapping[str, nn.Module] = {"wav2vec2": self._network}

    def note(self) -> str:
        """Weights, width and step."""
        step = 1000 * self._network.hop / RATE
        return f"wav2vec2, {self._whose}, {self.width} every {step:g} ms"

    @torch.inference_mode()
    def __call__(self, sound: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """(T', D') of samples (S,)."""
        _check_rate(sample_rate, "wav2vec2")
        if len(sound) < self._network.window:
            raise _too_short(len(sound), self._network.window)
        with _TURN:
            found: NDArray[np.float32] = self._network(torch.from_numpy(sound)).numpy()
        return found


class SpokenSteps:
    """The embeddings that openWakeWord ships, 96 every 80 ms; ONNX, so that there is no torch module.

    Raises:
        BadInput: under acoustic_features; the extra is not installed.
    """

    width = WIDTH

    def __init__(self) -> None:
        with keyed("acoustic"):
            self._encoder = OpenWakeWord()
            self._encoder.load()
        self.networks: Mapping[str, nn.Module] = {}

    def note(self) -> str:
        """The network, its width, and that its parameters are not counted."""
        return f"openWakeWord's speech embedding (ONNX, its parameters not counted), {WIDTH} every 80 ms"

    def __call__(self, sound: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """(T', 96) of samples (S,)."""
        _check_rate(sample_rate, "openwakeword")
        if len(sound) < WINDOW:
            raise _too_short(len(sound), WINDOW)
        return self._encoder.steps(sound)


@contextmanager
def keyed(view: str) -> Iterator[None]:
    """Names what is at fault as the data set does: the tower or weights of a view, or its features."""
    try:
        yield
    except BadInput as fault:
        key = fault.key if fault.key in {"tower", "weights"} else "features"
        raise BadInput(fault.message, file=fault.file, key=f"{view}_{key}") from fault


def _by_parts(frames: NDArray[np.uint8], vectors: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous()
    with _TURN:
        found: NDArray[np.float32] = torch.cat([vectors(part) for part in pixels.split(_FRAMES)]).numpy()
    return found


def _check_rate(given: int, features: str) -> None:
    if given != RATE:
        raise BadInput(f"{features} hears {RATE} samples a second, given {given}", key="sample_rate")


def _too_short(found: int, window: int) -> BadInput:
    told = tuple(f"{1000 * count / RATE:g} ms" for count in (window, found))
    return BadInput(f"expected at least {told[0]} of sound, found {told[1]}", key="acoustic_features")
