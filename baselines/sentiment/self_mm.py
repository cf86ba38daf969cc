"""Self-MM: a score of all modalities, and one of each that is trained towards a label of its own."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from baselines.sentiment.base import Baseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT
from baselines.sentiment.text_vector import TextVectorConfig, text_pooling
from harness.nn.final_states import FinalStates, ProjectedStates
from harness.registry import BASELINES
from harness.spec import FloatSpace, IntSpace
from harness.types import Batch, DataInfo, Outputs

MODALITIES = ("text", "vision", "audio")


class SelfMMConfig(TextVectorConfig):
    """Widths of the encoders and of the four heads, and what the public implementation adds to them."""

    vision_states: int = Field(32, ge=1, description="states of the LSTM over vision")
    audio_states: int = Field(16, ge=1, description="states of the LSTM over audio")
    vision_width: int = Field(32, ge=1, description="encoders peer: width of the vision vector")
    audio_width: int = Field(16, ge=1, description="encoders peer: width of the audio vector")
    fusion_hidden: int = Field(128, ge=1, description="width of the fused representation")
    text_hidden: int = Field(32, ge=1, description="width of the text representation")
    vision_hidden: int = Field(32, ge=1, description="width of the vision representation")
    audio_hidden: int = Field(16, ge=1, description="width of the audio representation")
    fusion_dropout: float = Field(0.0, ge=0, lt=1, description="on what is fused")
    text_dropout: float = Field(0.1, ge=0, lt=1, description="on the text vector, for its own score")
    vision_dropout: float = Field(0.0, ge=0, lt=1, description="on the vision vector, for its score")
    audio_dropout: float = Field(0.1, ge=0, lt=1, description="on the audio vector, for its score")
    vision_rate: float = Field(
        5.0, gt=0, description="multiple of the learning rate for the vision LSTM"
    )
    audio_rate: float = Field(5.0, gt=0, description="multiple of the learning rate for the audio LSTM")
    encoders: Literal["paper", "peer"] = Field(
        "paper", description="vision and audio: paper = last LSTM state, peer = a linear layer behind it"
    )
    heads: Literal["paper", "peer"] = Field(
        "paper", description="paper = score linear in the representation, peer = a hidden layer between"
    )

    def parts(self) -> frozenset[str]:
        """The score of each modality, and the representations that their labels are made of."""
        vectors = {f"{name}_vector" for name in (*MODALITIES, "fusion")}
        return frozenset(vectors | {f"{name}_score" for name in MODALITIES})


@BASELINES.register(
    "self_mm",
    config=SelfMMConfig,
    paper="Yu et al. 2021, Self-MM, arXiv 2102.04830, equations 1 to 3; labels: unimodal_labels",
    tiny={
        **TINY_TEXT,
        "vision_states": 4,
        "audio_states": 3,
        "vision_width": 3,
        "audio_width": 4,
        "fusion_hidden": 6,
        "text_hidden": 4,
        "vision_hidden": 4,
        "audio_hidden": 4,
    },
    space={
        **TEXT_SPACE,
        "vision_states": IntSpace(low=8, high=64, log=True),
        "audio_states": IntSpace(low=8, high=64, log=True),
        "fusion_hidden": IntSpace(low=32, high=256, log=True),
        "text_hidden": IntSpace(low=16, high=128, log=True),
        "fusion_dropout": FloatSpace(low=0, high=0.5),
        "text_dropout": FloatSpace(low=0, high=0.5),
    },
)
class SelfMM(Baseline):
    """The text's vector and last states of LSTMs over vision and audio, fused by one layer.

    While it is trained every modality has a representation and a score of its own, for the loss
    `unimodal_labels`; at inference there is the fused score alone.
    """

    def __init__(self, config: SelfMMConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.pooling = text_pooling(config, self.text.width)
        self.vision = _encoder(config, info.width("vision"), config.vision_states, config.vision_width)
        self.audio = _encoder(config, info.width("audio"), config.audio_states, config.audio_width)
        widths = {"text": self.text.width, "vision": self.vision.width, "audio": self.audio.width}
        self.heads = nn.ModuleDict(
            {
                name: _Head(width, getattr(config, f"{name}_hidden"), config, name)
                for name, width in {**widths, "fusion": sum(widths.values())}.items()
            }
        )
        self.rates = {"vision.": config.vision_rate, "audio.": config.audio_rate}

    def rate_scale(self, name: str) -> float:
        """Also the rates of the two LSTMs with their layers."""
        own = (rate for prefix, rate in self.rates.items() if name.startswith(prefix))
        return next(own, super().rate_scale(name))

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,) and the fused representation (B, D)."""
        text, vision, audio = self.sequences(batch)
        vectors = {
            "text": self.pooling(text),
            "audio": self.audio(audio),
            "vision": self.vision(vision),
        }
        fused, score = self.heads["fusion"](torch.cat(tuple(vectors.values()), dim=1))
        if not self.training:
            return Outputs(score, embedding=fused)
        parts = {"fusion_vector": fused}
        for name, vector in vectors.items():
            parts[f"{name}_vector"], parts[f"{name}_score"] = self.heads[name](vector)
        return Outputs(score, embedding=fused, parts=parts)


class _Head(nn.Module):
    """A representation of a vector, rectified, and the score that is read from it."""

    def __init__(self, width: int, hidden: int, config: SelfMMConfig, name: str) -> None:
        super().__init__()
        self.dropout = nn.Dropout(getattr(config, f"{name}_dropout"))
        self.representation = nn.Linear(width, hidden)
        self.between = nn.Linear(hidden, hidden) if config.heads == "peer" else None
        self.score = nn.Linear(hidden, 1)

    def forward(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        found = torch.relu(self.representation(self.dropout(vector)))
        top = found if self.between is None else torch.relu(self.between(found))
        return found, self.score(top).squeeze(1)


def _encoder(
    config: SelfMMConfig, width_in: int, states: int, width: int
) -> FinalStates | ProjectedStates:
    if config.encoders == "paper":
        return FinalStates(width_in, states)
    return ProjectedStates(width_in, states, width)
