"""Whether extractors can be had, and whose weights they have, before any is built."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from harness.data.clips.extractors.networks import keyed
from harness.data.clips.features import ClipFeatures
from harness.data.encoders.efficientnet_lite0 import EfficientNetLite0
from harness.data.encoders.openwakeword import OpenWakeWord
from harness.data.parts.hashing import file_hash, files_hash
from harness.nn.clip.vision import image_width
from harness.nn.clip.weights import find_weights
from harness.nn.speech.wav2vec2 import check_wav2vec2


def extractors_identity(config: ClipFeatures) -> str:
    """Versions and weights that decide the features; empty where they are computed without weights.

    Files are hashed: a path or a tag alone does not say what lies there. No network is built.

    Raises:
        BadInput: weights or a package are not there.
    """
    return "; ".join(part for part in (_visual(config), _acoustic(config)) if part)


def _visual(config: ClipFeatures) -> str:
    with keyed("visual"):
        if config.visual_features == "clip":
            return _clip(config.visual_tower, config.visual_weights)
        return EfficientNetLite0().identity() if config.visual_features != "colours" else ""


def _clip(tower: str, weights: str | None) -> str:
    image_width(tower)
    made = f"open_clip {version('open_clip_torch')} {tower}"
    if weights is None:
        return f"{made}, random"
    found = find_weights(tower, weights)
    return f"{made}, {file_hash(Path(found.path))} {sorted(found.preprocess.items())}"


def _acoustic(config: ClipFeatures) -> str:
    with keyed("acoustic"):
        if config.acoustic_features == "wav2vec2":
            return _wav2vec2(config.acoustic_weights)
        return OpenWakeWord().identity() if config.acoustic_features != "log_mel" else ""


def _wav2vec2(weights: str | None) -> str:
    check_wav2vec2(weights)
    made = f"wav2vec2, transformers {version('transformers')}"
    if weights is None:
        return f"{made}, random"
    names = [
        file.name for file in Path(weights).iterdir() if file.suffix in {".json", ".safetensors", ".bin"}
    ]
    return f"{made}, {files_hash(Path(weights), names)}"
