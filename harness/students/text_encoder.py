"""The student: a Hugging Face text encoder, a pooling and a linear head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from torch import nn

from harness.nn.heads import ScoreHead
from harness.nn.pooling import PoolingName, pooling
from harness.nn.text.bpe import ByteLevelBPE, stored_or_fitted
from harness.nn.text.hub import check_fresh, check_pretrained, fresh_encoder, pretrained_parts
from harness.nn.text.hub_tokenizer import HubTokenizer
from harness.nn.text.layer_rates import LayerRates
from harness.nn.text.lora import add_adapters, check_adapters
from harness.nn.text.sizes import EncoderSizes, check_rows
from harness.nn.text.words import Words, WordsConfig
from harness.registry import STUDENTS
from harness.spec import BadInput, ChoiceSpace, FloatSpace, IntSpace, OutputName
from harness.types import Batch, DataInfo, Outputs, Padded


class TextEncoderConfig(WordsConfig):
    """Either `pretrained`, or an architecture initialised at the sizes given."""

    pretrained: str | None = Field(
        None,
        description="local folder, name in the local hub cache, or minilm (the extra of that name); "
        "null = fresh weights",
    )
    architecture: str = Field("roberta", description="Hugging Face model type, when weights are fresh")
    width: int = Field(64, ge=8, description="hidden size, when weights are fresh")
    layers: int = Field(2, ge=1, description="transformer layers, when weights are fresh")
    heads: int = Field(4, ge=1, description="attention heads, when weights are fresh")
    vocabulary: int = Field(
        2000, ge=300, description="BPE tokens fitted to train, when weights are fresh"
    )
    embedding_rows: int | None = Field(
        None,
        ge=300,
        description="rows of the embedding, when weights are fresh, such as 50265 of RoBERTa; "
        "null = as many as tokens",
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="in the encoder (fresh weights) and before the head"
    )
    max_tokens: int = Field(64, ge=8, description="longer transcripts are cut")
    pooling: PoolingName = Field(
        "mean", description="first token, mean over tokens, or a learned weighting of them"
    )
    lowercase_capitals: bool = Field(True, description="lower-case transcripts that are all capitals")
    encoder_rate: float = Field(
        1.0,
        gt=0,
        le=1,
        description="multiple of the learning rate for the encoder; the head learns at 1",
    )
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="multiple of the encoder's rate from each layer to the one below"
    )
    lora_rank: int = Field(
        0, ge=0, description="rank of the adapters that are trained instead of the encoder; 0 = none"
    )
    lora_alpha: float = Field(16.0, gt=0, description="adapters count lora_alpha / lora_rank")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.pretrained is None and self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self

    @model_validator(mode="after")
    def _adapters_have_what_they_adapt(self) -> Self:
        if self.lora_rank and self.pretrained is None:
            raise ValueError("lora_rank adapts pretrained weights; fresh ones would stay random")
        if self.lora_rank and (self.layer_decay, self.encoder_rate) != (1, 1):
            raise ValueError(
                "lora_rank leaves the encoder as it is, so layer_decay and encoder_rate must stay 1, "
                f"given {self.layer_decay} and {self.encoder_rate}"
            )
        return self

    @model_validator(mode="after")
    def _tokens_have_rows(self) -> Self:
        check_rows(self.embedding_rows, self.vocabulary, self.pretrained, "embedding_rows")
        return self

    def gives(self) -> frozenset[OutputName]:
        """Also the pooled vector and the token states, for losses between representations."""
        return super().gives() | {"embedding", "hidden"}

    def halved(self) -> Self:
        """Half the width, rounded down, with as many heads up to the present ones as divide it."""
        if self.pretrained is not None:
            raise BadInput(
                f"'{self.pretrained}' is pretrained and has one size; name a smaller encoder instead",
                key="pretrained",
            )
        width = self.width // 2
        return self.resized(
            width=width, heads=max(count for count in range(1, self.heads + 1) if width % count == 0)
        )

    def check(self) -> None:
        """Whether what is named is there, and an encoder that a student can be made of."""
        if self.lora_rank:
            check_adapters()
        if self.pretrained is None:
            check_fresh(self.sizes(self.vocabulary))
        else:
            check_pretrained(self.pretrained, self.max_tokens)

    def sizes(self, vocabulary: int) -> EncoderSizes:
        """The sizes of a fresh encoder for so many tokens."""
        return EncoderSizes(
            architecture=self.architecture,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            vocabulary=self.embedding_rows or vocabulary,
            max_tokens=self.max_tokens,
            dropout=self.dropout,
        )


@STUDENTS.register(
    "text_encoder",
    config=TextEncoderConfig,
    paper="RoBERTa, arXiv 1907.11692; as the student of VideoAdviser, arXiv 2309.15494",
    tiny={
        "pretrained": None,
        "width": 16,
        "layers": 1,
        "heads": 2,
        "vocabulary": 300,
        "max_tokens": 16,
    },
    space={
        # Every number of heads divides every width.
        "width": ChoiceSpace(choices=(32, 64, 128), when={"pretrained": None}),
        "layers": IntSpace(low=1, high=4, when={"pretrained": None}),
        "heads": ChoiceSpace(choices=(2, 4, 8), when={"pretrained": None}),
        "vocabulary": IntSpace(low=500, high=4000, log=True, when={"pretrained": None}),
        "pooling": ChoiceSpace(choices=("cls", "mean", "attention")),
        "dropout": FloatSpace(low=0, high=0.5),
        # Adapters leave the encoder as it is: there is no rate to scale.
        "encoder_rate": FloatSpace(low=0.03, high=1, log=True, when={"lora_rank": 0}),
        "layer_decay": FloatSpace(low=0.5, high=1, when={"lora_rank": 0}),
    },
)
class TextEncoder(nn.Module):
    """A score from the words of a clip alone: encoder, pooling over tokens, linear head."""

    def __init__(self, config: TextEncoderConfig, info: DataInfo) -> None:
        super().__init__()
        self._words = Words(info.train_transcripts, config.lowercase_capitals)
        self._tokenizer: ByteLevelBPE | HubTokenizer
        if config.pretrained is None:
            self._tokenizer = stored_or_fitted(
                info, self._words.cased, config.vocabulary, config.max_tokens
            )
            self.encoder = fresh_encoder(config.sizes(len(self._tokenizer)))
            self._origin = "fresh weights, BPE fitted to the training transcripts"
        else:
            self._tokenizer, self.encoder, self._origin = pretrained_parts(
                config.pretrained, config.max_tokens, is_trained=info.tokenizer_json is not None
            )
        self._encoder_rate = config.encoder_rate
        self._layer_rates = LayerRates(
            (name for name, _ in self.encoder.named_parameters()), config.layer_decay
        )
        width = self.encoder.config.hidden_size
        if config.lora_rank:
            add_adapters(self.encoder, config.lora_rank, config.lora_alpha)
            self._origin += f", frozen, with adapters of rank {config.lora_rank}"
        self._config = config
        self.pooling = pooling(config.pooling, width)
        self.head = ScoreHead(width, config.levels, config.dropout)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with `tokens` (B, L) of their transcripts.

        Raises:
            BadInput: a transcript is empty.
        """
        return replace(batch, tokens=self._tokenizer.encode(self._words.read(batch)))

    def tokenizer_json(self) -> str | None:
        """The tokenizer, fitted or pretrained, as the library `tokenizers` stores it."""
        return self._tokenizer.to_json()

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), pooled embedding (B, D) and token states (B, L, D) from `batch.tokens`."""
        tokens = batch.tokens
        if tokens is None:
            raise ValueError("the student reads tokens; call tokenise on the clips first")
        states = self.encoder(input_ids=tokens.values, attention_mask=tokens.mask.long())
        values = states.last_hidden_state.masked_fill(~tokens.mask.unsqueeze(2), 0)
        hidden = Padded(values, tokens.mask)
        return self.head.outputs(self.pooling(hidden), hidden)

    def rate_scale(self, name: str) -> float:
        """1 for head and pooling; `encoder_rate` times its layer's decay for a weight of the encoder.

        Layer l of n has `layer_decay`^(n - l + 1), the embeddings `layer_decay`^(n + 1).
        """
        part, _, weight = name.partition(".")
        return self._encoder_rate * self._layer_rates.scale(weight) if part == "encoder" else 1.0

    def to_hub(self, folder: Path) -> None:
        """Writes weights, configuration, tokenizer and code for transformers into an empty folder."""
        from harness.nn.text.hub_folder import TextParts, write_hub_folder

        config = self._config
        parts = TextParts(
            encoder=self.encoder,
            query=getattr(self.pooling, "query", None),
            head=self.head,
            tokenizer=self._tokenizer,
            pooling=config.pooling,
            max_tokens=config.max_tokens,
            lowercase_capitals=config.lowercase_capitals,
        )
        write_hub_folder(folder, parts)

    def notes(self) -> tuple[str, ...]:
        """Where the weights come from, and what was done to the words."""
        return (f"text encoder: {self._origin}", *self._words.notes())
