"""The student: a Hugging Face text encoder, a pooling and a linear head."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from harness.nn.bpe import END, PAD, START, ByteLevelBPE
from harness.nn.transcript import lower_if_capitals, mostly_capitals
from harness.registry import STUDENTS
from harness.spec import BadInput, ModelConfig, OutputName, View, nearest
from harness.types import Batch, DataInfo, Outputs, Padded

if TYPE_CHECKING:
    from transformers import PretrainedConfig


class TextEncoderConfig(ModelConfig):
    """Either `pretrained`, or an architecture initialised at the sizes given."""

    pretrained: str | None = Field(
        None, description="local folder, or name in the local hub cache; null = fresh weights"
    )
    architecture: str = Field("roberta", description="Hugging Face model type, when weights are fresh")
    width: int = Field(64, ge=8, description="hidden size, when weights are fresh")
    layers: int = Field(2, ge=1, description="transformer layers, when weights are fresh")
    heads: int = Field(4, ge=1, description="attention heads, when weights are fresh")
    vocabulary: int = Field(
        2000, ge=300, description="BPE tokens fitted to train, when weights are fresh"
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="in the encoder (fresh weights) and before the head"
    )
    max_tokens: int = Field(64, ge=8, description="longer transcripts are cut")
    pooling: Literal["cls", "mean"] = Field("mean", description="first token, or mean over tokens")
    lowercase_capitals: bool = Field(True, description="lower-case transcripts that are all capitals")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.pretrained is None and self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self

    def needs(self) -> frozenset[View]:
        """Words only: this is the one-modality student."""
        return frozenset({"transcript"})

    def gives(self) -> frozenset[OutputName]:
        """Also the pooled vector and the token states, for losses between representations."""
        return frozenset({"score", "embedding", "hidden"})

    def check(self) -> None:
        """Whether there is such an architecture, or a model and tokenizer to load."""
        _hub_config(self)


@STUDENTS.register(
    "text_encoder",
    config=TextEncoderConfig,
    paper="RoBERTa, arXiv 1907.11692; as the student of VideoAdviser, arXiv 2309.15494",
    tiny={"width": 16, "layers": 1, "heads": 2, "vocabulary": 300, "max_tokens": 16},
)
class TextEncoder(nn.Module):
    """A score from the words of a clip alone: encoder, pooling over tokens, linear head."""

    def __init__(self, config: TextEncoderConfig, info: DataInfo) -> None:
        super().__init__()
        self.config = config
        transcripts = self._cased(info.train_transcripts)
        self.lowered = config.lowercase_capitals and mostly_capitals(info.train_transcripts)
        if config.pretrained is None:
            self._tokenizer: Any = ByteLevelBPE(transcripts, config.vocabulary, config.max_tokens)
            self.encoder = _fresh_encoder(config, len(self._tokenizer))
        else:
            self._tokenizer, self.encoder = _pretrained_encoder(config)
        # Not read by any pooling here, so it would be counted among the parameters without a use.
        if hasattr(self.encoder, "pooler"):
            self.encoder.pooler = None
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(self.encoder.config.hidden_size, 1)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with `tokens` (B, L) of their transcripts."""
        return replace(batch, tokens=self._encode(self._cased(batch.transcripts or ())))

    def tokenizer_json(self) -> str:
        """The tokenizer, fitted or pretrained, as the library `tokenizers` stores it."""
        if isinstance(self._tokenizer, ByteLevelBPE):
            return self._tokenizer.to_json()
        return str(self._tokenizer.backend_tokenizer.to_str())

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), pooled embedding (B, D) and token states (B, L, D) from `batch.tokens`."""
        tokens = batch.tokens
        if tokens is None:
            raise ValueError("the student reads tokens; call tokenise on the clips first")
        states = self.encoder(input_ids=tokens.values, attention_mask=tokens.mask.long())
        values = states.last_hidden_state.masked_fill(~tokens.mask.unsqueeze(2), 0)
        hidden = Padded(values, tokens.mask)
        pooled: Tensor = hidden.values[:, 0] if self.config.pooling == "cls" else hidden.mean()
        score = self.head(self.dropout(pooled)).squeeze(1)
        return Outputs(score, embedding=pooled, hidden=hidden)

    def notes(self) -> tuple[str, ...]:
        """Where the weights come from, and what was done to the words."""
        origin = self.config.pretrained or "fresh weights, BPE fitted to the training transcripts"
        lowered = ("transcripts were all capitals and are lower-cased",) if self.lowered else ()
        return (f"text encoder: {origin}", *lowered)

    def _cased(self, transcripts: tuple[str, ...]) -> tuple[str, ...]:
        return lower_if_capitals(transcripts) if self.config.lowercase_capitals else transcripts

    def _encode(self, transcripts: tuple[str, ...]) -> Padded:
        if isinstance(self._tokenizer, ByteLevelBPE):
            return self._tokenizer.encode(transcripts)
        encoded = self._tokenizer(
            list(transcripts),
            padding=True,
            truncation=True,
            max_length=self.config.max_tokens,
            return_tensors="pt",
        )
        return Padded(encoded["input_ids"], encoded["attention_mask"].bool())


def _hub_config(config: TextEncoderConfig) -> PretrainedConfig:
    """The configuration in transformers: of the pretrained model, or of the architecture, sized."""
    from transformers import CONFIG_MAPPING, AutoConfig

    if config.pretrained is not None:
        try:
            return AutoConfig.from_pretrained(config.pretrained, local_files_only=True)
        except (OSError, ValueError) as error:
            raise _not_there(config, error) from error
    if config.architecture not in CONFIG_MAPPING:
        hint = nearest(config.architecture, CONFIG_MAPPING.keys())
        raise BadInput(
            f"transformers has no model type '{config.architecture}'; {hint}", key="architecture"
        )
    return _sized(CONFIG_MAPPING[config.architecture](), config, config.vocabulary)


def _fresh_encoder(config: TextEncoderConfig, vocabulary: int) -> nn.Module:
    from transformers import AutoModel

    return AutoModel.from_config(_sized(_hub_config(config), config, vocabulary))


def _not_there(config: TextEncoderConfig, error: Exception) -> BadInput:
    return BadInput(
        f"no encoder and tokenizer at '{config.pretrained}', as a folder or in the local hub cache "
        f"({str(error).splitlines()[0]})",
        key="pretrained",
    )


def _sized(hub: PretrainedConfig, config: TextEncoderConfig, vocabulary: int) -> PretrainedConfig:
    # Set through the attribute map, because architectures name their sizes differently.
    sizes = {
        "vocab_size": vocabulary,
        "hidden_size": config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
    }
    intermediate = "hidden_dim" if hasattr(hub, "hidden_dim") else "intermediate_size"
    optional = {
        intermediate: 4 * config.width,
        # RoBERTa counts positions from the padding id, so two more are needed.
        "max_position_embeddings": config.max_tokens + 2,
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.dropout,
        "dropout": config.dropout,
        "attention_dropout": config.dropout,
        "embedding_size": config.width,
        "pad_token_id": PAD,
        "bos_token_id": START,
        "eos_token_id": END,
    }
    missing = [name for name in sizes if not hasattr(hub, name)]
    if missing:
        raise BadInput(
            f"'{config.architecture}' is no text encoder: its configuration has no {missing[0]}",
            key="architecture",
        )
    if hub.is_encoder_decoder:
        raise BadInput(
            f"'{config.architecture}' is an encoder with a decoder; the student is an encoder alone",
            key="architecture",
        )
    for name, value in {**optional, **sizes}.items():
        if hasattr(hub, name):
            setattr(hub, name, value)
    return hub


def _pretrained_encoder(config: TextEncoderConfig) -> tuple[Any, nn.Module]:
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(config.pretrained, local_files_only=True)
        # The trial's precision decides what is computed in, not that of the file.
        encoder, found = AutoModel.from_pretrained(
            config.pretrained, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_there(config, error) from error
    if config.max_tokens > tokenizer.model_max_length:
        raise BadInput(
            f"'{config.pretrained}' reads at most {tokenizer.model_max_length} tokens, "
            f"given {config.max_tokens}",
            key="max_tokens",
        )
    # transformers would go on with random weights in their place.
    missing = sorted(name for name in found["missing_keys"] if "pooler" not in name)
    if missing:
        raise BadInput(f"'{config.pretrained}' has no weights for {missing[0]}", key="pretrained")
    return tokenizer, encoder
