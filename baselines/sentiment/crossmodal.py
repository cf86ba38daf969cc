"""What the cross-modal baselines share: their fields, and their sequences at one width."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from torch import nn

from baselines.sentiment.base import Baseline
from baselines.sentiment.config import TEXT_SPACE, TINY_TEXT, BaselineConfig
from harness.nn.crossmodal_block import Positions, TransformerOptions
from harness.nn.crossmodal_steps import StepConvolution, started
from harness.nn.dropout import BitDropout
from harness.spec import ChoiceSpace, FloatSpace, IntSpace, Space
from harness.types import DataInfo, Padded

ACROSS = ((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))
"""Who asks whom; modalities are counted text, audio, vision."""

WITHIN = ((0, 0), (1, 1), (2, 2))

TINY = {**TINY_TEXT, "width": 4, "heads": 2, "layers": 1}

SPACE: dict[str, Space] = {
    **TEXT_SPACE,
    "layers": IntSpace(low=2, high=6),
    "text_kernel": ChoiceSpace(choices=(1, 3, 5)),
    "audio_kernel": ChoiceSpace(choices=(1, 3, 5)),
    "vision_kernel": ChoiceSpace(choices=(1, 3, 5)),
    "text_dropout": FloatSpace(low=0, high=0.5),
    "attention_dropout": FloatSpace(low=0, high=0.5),
    "audio_attention_dropout": FloatSpace(low=0, high=0.3),
    "vision_attention_dropout": FloatSpace(low=0, high=0.3),
    "relu_dropout": FloatSpace(low=0, high=0.3),
    "embedding_dropout": FloatSpace(low=0, high=0.3),
    "residual_dropout": FloatSpace(low=0, high=0.3),
}
"""What a search tries for the fields of both; widths and heads that fit each other are the model's."""

Departure = Literal["paper", "peer"]


class CrossModalConfig(BaselineConfig):
    """Sizes, dropouts, and where MMSA departs from the paper."""

    width: int = Field(50, ge=1, description="D of every modality; a multiple of heads")
    heads: int = Field(10, ge=1, description="attention heads")
    layers: int = Field(4, ge=1, description="blocks of a transformer between two modalities")
    text_kernel: int = Field(5, ge=1, description="steps that the convolution of text sees")
    audio_kernel: int = Field(5, ge=1, description="steps that the convolution of audio sees")
    vision_kernel: int = Field(5, ge=1, description="steps that the convolution of vision sees")
    text_dropout: float = Field(0.5, ge=0, lt=1, description="on states of the text")
    attention_dropout: float = Field(
        0.3, ge=0, lt=1, description="on attention to text, and of a sequence to itself"
    )
    audio_attention_dropout: float = Field(0.2, ge=0, lt=1, description="on attention to audio")
    vision_attention_dropout: float = Field(0.0, ge=0, lt=1, description="on attention to vision")
    relu_dropout: float = Field(0.0, ge=0, lt=1, description="within feed-forward sublayers")
    embedding_dropout: float = Field(0.2, ge=0, lt=1, description="on steps before the first block")
    residual_dropout: float = Field(0.0, ge=0, lt=1, description="after each sublayer")
    scaling: Departure = Field(
        "paper", description="paper: steps as they are; peer: times the root of the width"
    )
    residual: Departure = Field(
        "paper", description="paper: sublayers add to their normalised input; peer: to the input itself"
    )
    future: Departure = Field(
        "paper",
        description="paper: a step asks all; peer: no later ones, but for the difference in length",
    )
    projection: Departure = Field(
        "paper",
        description="paper: every modality is convolved; peer: not one of the model's width",
    )

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        return self

    def options(
        self, positions: Positions, *, width: int, heads: int, layers: int
    ) -> TransformerOptions:
        """Those of a transformer of these sizes."""
        return TransformerOptions(
            width=width,
            heads=heads,
            layers=layers,
            positions=positions,
            is_scaled=self.scaling == "peer",
            adds_normalised=self.residual == "paper",
            is_causal=self.future == "peer",
            embedding_dropout=self.embedding_dropout,
            relu_dropout=self.relu_dropout,
            residual_dropout=self.residual_dropout,
        )

    def dropouts_across(self) -> list[float]:
        """The attention dropout of each of `ACROSS`: that of who is asked."""
        rates = (self.attention_dropout, self.audio_attention_dropout, self.vision_attention_dropout)
        return [rates[asked] for _, asked in ACROSS]


class CrossModalBaseline(Baseline):
    """A model that reads all modalities at one width, aligned or not."""

    def __init__(self, config: CrossModalConfig, info: DataInfo, ends: Literal["kept", "cut"]) -> None:
        super().__init__(config, info)
        self.text_dropout = BitDropout(config.text_dropout)
        widths = (self.text.width, info.width("audio"), info.width("vision"))
        kernels = (config.text_kernel, config.audio_kernel, config.vision_kernel)
        self.convolutions = nn.ModuleList(
            [
                nn.Identity()
                if config.projection == "peer" and width == config.width
                else StepConvolution(width, config.width, kernel, ends)
                for width, kernel in zip(widths, kernels, strict=True)
            ]
        )

    def projected(self, text: Padded, vision: Padded, audio: Padded) -> list[Padded]:
        """Text, audio and vision (B, T, D), each with at least one step."""
        text, vision, audio = (started(sequence) for sequence in (text, vision, audio))
        # A convolution reads beside the last step, where embedded padding need not be zero.
        words = text.values.masked_fill(~text.mask.unsqueeze(2), 0)
        text = Padded(self.text_dropout(words), text.mask)
        sequences = zip(self.convolutions, (text, audio, vision), strict=True)
        return [convolution(sequence) for convolution, sequence in sequences]
