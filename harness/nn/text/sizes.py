"""Sizes of a text encoder, and how they are written into a configuration of transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.nn.text.bpe import END, PAD, START
from harness.spec import BadInput

if TYPE_CHECKING:
    from transformers import PretrainedConfig

REQUIRED = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads")


@dataclass(frozen=True)
class EncoderSizes:
    """A text encoder that is initialised, not loaded.

    Attributes:
        vocabulary: rows of its embedding.
    """

    architecture: str
    width: int
    layers: int
    heads: int
    vocabulary: int
    max_tokens: int
    dropout: float


def set_sizes(hub: PretrainedConfig, sizes: EncoderSizes) -> None:
    """Writes the sizes into a configuration, as far as its architecture has them.

    Raises:
        BadInput: it lacks one that every text encoder has, or it comes with a decoder.
    """
    check_encoder_config(hub, sizes.architecture, key="architecture")
    fill(
        hub,
        {
            # RoBERTa counts positions from the padding id, so two more are needed.
            "max_position_embeddings": sizes.max_tokens + 2,
            "hidden_dropout_prob": sizes.dropout,
            "attention_probs_dropout_prob": sizes.dropout,
            "dropout": sizes.dropout,
            "attention_dropout": sizes.dropout,
            "pad_token_id": PAD,
            "bos_token_id": START,
            "eos_token_id": END,
            "vocab_size": sizes.vocabulary,
        },
    )
    set_width(hub, sizes.width, sizes.layers, sizes.heads)


def set_width(hub: PretrainedConfig, width: int, layers: int, heads: int) -> None:
    """Writes width and depth into a configuration; vocabulary, positions and dropout stay."""
    intermediate = "hidden_dim" if hasattr(hub, "hidden_dim") else "intermediate_size"
    fill(
        hub,
        {
            intermediate: 4 * width,
            "embedding_size": width,
            "head_dim": width // heads,
            "num_key_value_heads": heads,
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
        },
    )
    # Some list the kind of each layer, a pattern that goes on for as many as there are.
    kinds = getattr(hub, "layer_types", None)
    if kinds:
        hub.layer_types = [kinds[layer % len(kinds)] for layer in range(layers)]


def check_rows(rows: int | None, tokens: int, pretrained: str | None, field: str) -> None:
    """Whether a fresh encoder can have so many rows of its embedding; None is as many as tokens.

    Raises:
        ValueError: there may be more tokens than rows, or the encoder is not fresh; `field` gave them.
    """
    if rows is not None and pretrained is not None:
        raise ValueError(f"{field} is of a fresh encoder, and '{pretrained}' brings its own rows")
    if rows is not None and rows < tokens:
        raise ValueError(f"{field}: expected a row for each of {tokens} tokens at least, given {rows}")


def check_encoder_config(hub: PretrainedConfig, name: str, *, key: str) -> None:
    """Whether a configuration is that of an encoder of words alone.

    Raises:
        BadInput: it is not; `key` is the parameter that named it.
    """
    # Asked through the attribute map, because architectures name their sizes differently.
    missing = [size for size in REQUIRED if not hasattr(hub, size)]
    if missing:
        raise BadInput(f"'{name}' is no text encoder: its configuration has no {missing[0]}", key=key)
    if hub.is_encoder_decoder:
        raise BadInput(
            f"'{name}' is an encoder with a decoder; the student is an encoder alone", key=key
        )


def fill(hub: PretrainedConfig, values: dict[str, Any]) -> None:
    """Sets the attributes that the configuration has; those it lacks are none of its sizes."""
    for name, value in values.items():
        if hasattr(hub, name):
            setattr(hub, name, value)
