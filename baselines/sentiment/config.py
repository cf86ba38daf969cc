"""What the configuration of every sentiment baseline has, and what a search tries of it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from harness.nn.align import Align
from harness.nn.text.sizes import check_rows
from harness.spec import (
    BadInput,
    FloatSpace,
    IntSpace,
    ModelConfig,
    OutputName,
    Space,
    View,
)
from harness.types import DataInfo

TextSource = Literal["features", "transcript", "token_ids", "encoder"]

_VIEWS: dict[TextSource, View] = {
    "features": "text",
    "transcript": "transcript",
    "token_ids": "token_ids",
    "encoder": "transcript",
}

TEXT_SPACE: dict[str, Space] = {
    "embedding": IntSpace(low=16, high=128, log=True, when={"text_source": "transcript"}),
    "vocabulary": IntSpace(low=500, high=4000, log=True, when={"text_source": "transcript"}),
    "encoder_rate": FloatSpace(low=0.01, high=1, log=True, when={"text_source": "encoder"}),
}
"""What a search tries for the fields that every baseline has."""

TINY_TEXT = {
    "embedding": 4,
    "vocabulary": 300,
    "max_tokens": 16,
    "encoder_width": 8,
    "encoder_layers": 1,
    "encoder_heads": 2,
}
"""The smallest text of any source, for a baseline's `tiny`."""


class BaselineConfig(ModelConfig):
    """Fields of every baseline: where its text comes from.

    With ``encoder`` or ``token_ids`` the weights are `pretrained`, or fresh at the sizes given.
    """

    text_source: TextSource = Field(
        "features",
        description="features of the data set; transcript: a learned embedding of BPE tokens; encoder: "
        "the transcript through a text encoder; token_ids: the data set's ids through one",
    )
    pretrained: str | None = Field(
        None, description="text encoder: local folder, name in the hub cache, or minilm; null = fresh"
    )
    encoder_rate: float = Field(
        0.05, gt=0, le=1, description="multiple of the learning rate for the text encoder"
    )
    architecture: str = Field("bert", description="Hugging Face model type of a fresh text encoder")
    encoder_width: int = Field(64, ge=8, description="hidden size of a fresh text encoder")
    encoder_layers: int = Field(2, ge=1, description="layers of a fresh text encoder")
    encoder_heads: int = Field(4, ge=1, description="attention heads of a fresh text encoder")
    encoder_rows: int | None = Field(
        None,
        ge=300,
        description="rows of the embedding of a fresh text encoder, such as 30522 of BERT; "
        "null = as many as tokens",
    )
    embedding: int = Field(32, ge=1, description="transcript: width of the learned word embedding")
    vocabulary: int = Field(
        2000,
        ge=300,
        description="BPE tokens fitted to train; of fresh token_ids, one more than the highest id",
    )
    max_tokens: int = Field(64, ge=8, description="longer transcripts are cut")

    @model_validator(mode="after")
    def _tokens_have_rows(self) -> Self:
        check_rows(self.encoder_rows, self.vocabulary, self.pretrained, "encoder_rows")
        return self

    def text_view(self) -> View:
        """The view that the words come from."""
        return _VIEWS[self.text_source]

    def needs(self) -> frozenset[View]:
        """Every modality."""
        return frozenset({self.text_view(), "vision", "audio"})

    def gives(self) -> frozenset[OutputName]:
        """Also the fused vector."""
        return frozenset({"score", "embedding"})

    def ignores_padding(self) -> bool:
        """Whether more padding changes nothing; not so of what some peers do."""
        return True


class AlignedConfig(BaselineConfig):
    """Fields of a baseline that reads all modalities step by step."""

    align: Align | None = Field(
        None,
        description="features of other steps than the text's: null = refused, pool = averaged over "
        "neighbouring steps, peer = averaged as MMSA does (padding counts)",
    )

    def check_data(self, info: DataInfo) -> None:
        """Whether the data are aligned, or are to be.

        Raises:
            BadInput: neither.
        """
        if self.align is None:
            _check_aligned(self, info)

    def ignores_padding(self) -> bool:
        """Not when steps are brought together as the peer does."""
        return self.align != "peer"


def _check_aligned(config: AlignedConfig, info: DataInfo) -> None:
    if config.text_source in {"transcript", "encoder"}:
        what = f"with text_source '{config.text_source}' its steps are those of a tokenizer"
    elif not info.is_aligned:
        what = (
            f"these have up to {info.text_steps} steps of text, {info.vision_steps} of vision and "
            f"{info.audio_steps} of audio"
        )
    else:
        return
    raise BadInput(
        f"the model reads modalities that are aligned word by word, and {what}; "
        "give an aligned file, or set align: pool",
        key="align",
    )
