"""Two towers: from the sound and the pictures of a clip to one vector each."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field
from torch import Tensor, nn

from harness.nn.mlp import mlp
from harness.spec import ModelConfig, OutputName, TaskName, View
from harness.types import Batch, DataInfo, Padded

VIEWS: tuple[View, View] = ("audio", "vision")


class PairConfig(ModelConfig):
    """A model that gives the sound and the pictures of a clip a vector each, of one width."""

    task: ClassVar[TaskName] = "retrieval"

    width: int = Field(64, ge=2, le=4096, description="D of the embeddings that are compared")

    def needs(self) -> frozenset[View]:
        """Features of sound and pictures."""
        return frozenset(VIEWS)

    def gives(self) -> frozenset[OutputName]:
        """What a clip is found by."""
        return frozenset({"audio_embedding", "vision_embedding"})


class TowersConfig(PairConfig):
    """The sizes of two towers."""

    hidden: int = Field(256, ge=2, le=16384, description="units of each hidden layer of a tower")
    layers: int = Field(2, ge=1, le=8, description="linear layers of a tower, the last one included")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of hidden units dropped in training")

    def halved(self) -> Self:
        """Half the hidden units and half the width of the embeddings."""
        return self.model_copy(
            update={"hidden": max(2, self.hidden // 2), "width": max(2, self.width // 2)}
        )


def pooled(features: Padded | None) -> Tensor:
    """(B, D) the mean over a clip's steps; zero for a clip without any.

    Raises:
        ValueError: the clips do not have the view.
    """
    if features is None:
        raise ValueError("the model reads sound and pictures, and the clips lack one of them")
    return features.mean()


class Towers(nn.Module):
    """A multilayer perceptron for the mean of the audio features, and one for that of the vision."""

    def __init__(self, config: TowersConfig, info: DataInfo, width: int | None = None) -> None:
        super().__init__()
        inner = [config.hidden] * (config.layers - 1)
        out = width or config.width
        self.audio = mlp([info.width("audio"), *inner, out], config.dropout, nn.ReLU)
        self.vision = mlp([info.width("vision"), *inner, out], config.dropout, nn.ReLU)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(B, D) of the sound and (B, D) of the pictures."""
        return self.audio(pooled(batch.audio)), self.vision(pooled(batch.vision))
