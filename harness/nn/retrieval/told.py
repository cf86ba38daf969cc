"""What models of two vectors a clip say of it: both, the clip as a whole, and labels in training."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from harness.nn.compare.geometry import units
from harness.types import Outputs

LABELS = frozenset({"audio_class_logits", "vision_class_logits"})
"""The parts that a classifier of both modalities gives."""


def whole(audio: Tensor, vision: Tensor) -> Tensor:
    """(B, 2 D) both vectors (B, D), each made one long, side by side over the root of two.

    It is one long itself, and the cosine of two clips is the mean of their two modalities' cosines.
    """
    return torch.cat((units(audio), units(vision)), dim=1) / math.sqrt(2)


def labels(classifier: nn.Module, audio: Tensor, vision: Tensor) -> dict[str, Tensor]:
    """The parts `LABELS`, class logits (B, K), of vectors (B, D) by one classifier for both."""
    return {"audio_class_logits": classifier(audio), "vision_class_logits": classifier(vision)}


def told(audio: Tensor, vision: Tensor, parts: dict[str, Tensor]) -> Outputs:
    """Outputs with both vectors (B, D) and the clip as a whole."""
    return Outputs(
        audio_embedding=audio, vision_embedding=vision, embedding=whole(audio, vision), parts=parts
    )
