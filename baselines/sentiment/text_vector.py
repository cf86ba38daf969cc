"""The text of a clip as one vector, for models that read it as a whole."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import nn

from baselines.sentiment.config import BaselineConfig
from harness.nn.pooling import pooling


class TextVectorConfig(BaselineConfig):
    """Fields of a baseline that reads the text as one vector."""

    text_pooling: Literal["cls", "mean"] = Field(
        "cls",
        description="the text's vector: state of its first step, where an encoder's [CLS] is, or mean "
        "over steps, for word features without one; of a transcript's embeddings always the mean",
    )


def text_pooling(config: TextVectorConfig, width: int) -> nn.Module:
    """From text states of D = `width`, `Padded` (B, L, D), to (B, D)."""
    return pooling("mean" if config.text_source == "transcript" else config.text_pooling, width)
