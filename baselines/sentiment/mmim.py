"""MMIM: fusion that keeps the mutual information of modalities, and of each with what is fused."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.sentiment.base import Baseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT
from baselines.sentiment.text_vector import TextVectorConfig, text_pooling
from harness.nn.final_states import FinalStates, ProjectedStates
from harness.nn.mutual_information import ConditionalGaussian, FixedProjection
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs

_MODALITIES = ("text", "vision", "audio")
_GIVEN_TEXT = ("vision", "audio")


class MMIMConfig(TextVectorConfig):
    """Widths of the encoders and of the fusion, and what the public implementation does otherwise."""

    vision_states: int = Field(16, ge=1, description="states of the LSTM over vision, in each direction")
    audio_states: int = Field(16, ge=1, description="states of the LSTM over audio, in each direction")
    vision_width: int = Field(16, ge=1, description="encoders peer: width of the vision vector")
    audio_width: int = Field(16, ge=1, description="encoders peer: width of the audio vector")
    hidden: int = Field(128, ge=1, description="width of the fusion's two hidden layers")
    dropout: float = Field(0.1, ge=0, lt=1, description="on what is fused")
    encoders: Literal["paper", "peer"] = Field(
        "paper",
        description="vision and audio: paper = last state of an LSTM, peer = last states of LSTMs in "
        "both directions, and a linear layer behind them",
    )
    entropy_of: Literal["paper", "peer"] = Field(
        "paper",
        description="what the loss entropy is of: paper = vision and audio vectors, peer = a random "
        "projection of them, of a quarter of the width and not trained",
    )

    def parts(self) -> frozenset[str]:
        """What the losses mutual_information, entropy and cpc read."""
        found = {f"{name}_{kind}" for name in _MODALITIES for kind in ("vector", "prediction")}
        kinds = ("mean", "log_variance", "sample")
        return frozenset(found | {f"{name}_{kind}" for name in _GIVEN_TEXT for kind in kinds})


@BASELINES.register(
    "mmim",
    config=MMIMConfig,
    paper="Han, Chen and Poria 2021, MultiModal InfoMax, arXiv 2109.00412, section 3; "
    "losses: mutual_information, entropy and cpc",
    tiny={
        **TINY_TEXT,
        "vision_states": 4,
        "audio_states": 3,
        "vision_width": 4,
        "audio_width": 4,
        "hidden": 6,
    },
    space={
        **TEXT_SPACE,
        "vision_states": IntSpace(low=8, high=64, log=True),
        "audio_states": IntSpace(low=8, high=64, log=True),
        "hidden": IntSpace(low=32, high=256, log=True),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class MMIM(Baseline):
    """The text's vector and last LSTM states, fused by two layers; bounds of information beside it.

    The networks of the bounds are used while it is trained only. The paper trains those of the first
    bound in a pass of their own; here everything learns from one sum of losses, in which the same
    likelihood is maximised.
    """

    def __init__(self, config: MMIMConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.pooling = text_pooling(config, self.text.width)
        self.vision = _encoder(config, info.width("vision"), config.vision_states, config.vision_width)
        self.audio = _encoder(config, info.width("audio"), config.audio_states, config.audio_width)
        widths = {"text": self.text.width, "vision": self.vision.width, "audio": self.audio.width}
        self.dropout = nn.Dropout(config.dropout)
        self.fusion = nn.ModuleList(
            [nn.Linear(sum(widths.values()), config.hidden), nn.Linear(config.hidden, config.hidden)]
        )
        self.head = nn.Linear(config.hidden, 1)
        self.given_text = nn.ModuleDict(
            {name: ConditionalGaussian(widths["text"], widths[name]) for name in _GIVEN_TEXT}
        )
        self.samples = nn.ModuleDict({name: _sample(config, widths[name]) for name in _GIVEN_TEXT})
        self.predictors = nn.ModuleDict(
            {name: nn.Linear(config.hidden, width) for name, width in widths.items()}
        )

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the fused vector (B, D)."""
        text, vision, audio = self.sequences(batch)
        vectors = {
            "text": self.pooling(text),
            "audio": self.audio(audio),
            "vision": self.vision(vision),
        }
        fused = self.dropout(torch.cat(tuple(vectors.values()), dim=1))
        for layer in self.fusion:
            fused = layer(fused).tanh()
        score = self.head(fused).squeeze(1)
        parts = self._parts(vectors, fused) if self.training else {}
        return Outputs(score, embedding=fused, parts=parts)

    def _parts(self, vectors: dict[str, Tensor], fused: Tensor) -> dict[str, Tensor]:
        found = {}
        for name, vector in vectors.items():
            found[f"{name}_vector"] = vector
            found[f"{name}_prediction"] = self.predictors[name](fused)
        for name in _GIVEN_TEXT:
            mean, log_variance = self.given_text[name](vectors["text"])
            found |= {f"{name}_mean": mean, f"{name}_log_variance": log_variance}
            found[f"{name}_sample"] = self.samples[name](vectors[name])
        return found


def _encoder(
    config: MMIMConfig, width_in: int, states: int, width: int
) -> FinalStates | ProjectedStates:
    if config.encoders == "paper":
        return FinalStates(width_in, states)
    return ProjectedStates(width_in, states, width, both_ways=True)


def _sample(config: MMIMConfig, width: int) -> nn.Module:
    if config.entropy_of == "paper":
        return nn.Identity()
    return FixedProjection(width, max(1, width // 4))
