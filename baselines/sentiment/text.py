"""The text of a clip as a sequence of states, whatever it is read from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.nn.text.bpe import PAD, ByteLevelBPE, stored_or_fitted
from harness.nn.text.hub import fresh_encoder, pretrained_parts
from harness.nn.text.hub_tokenizer import HubTokenizer
from harness.nn.text.sizes import EncoderSizes
from harness.nn.text.transcript import lower_if_capitals
from harness.types import Batch, DataInfo, Padded

if TYPE_CHECKING:
    from baselines.sentiment.config import BaselineConfig


class TextStates(nn.Module):
    """Text features as they are; the other sources build on this one.

    Attributes:
        width: D of the states.
        steps: the longest text there can be.
        encoder_rate: multiple of the learning rate for the weights under ``encoder``.
    """

    def __init__(self, width: int, steps: int, encoder_rate: float = 1.0) -> None:
        super().__init__()
        self.width, self.steps, self.encoder_rate = width, steps, encoder_rate

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips, with tokens if words are read."""
        return batch

    def tokenizer_json(self) -> str | None:
        """The tokenizer as the library `tokenizers` stores it; None without one."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Where the weights of an encoder are from; nothing without one."""
        return ()

    def forward(self, batch: Batch) -> Padded:
        """(B, L, D) states, zero where no step exists."""
        if batch.text is None:
            raise ValueError("the batch has no text features")
        return batch.text


class EmbeddedTokens(TextStates):
    """A learned embedding of BPE tokens fitted to the training transcripts."""

    def __init__(self, config: BaselineConfig, info: DataInfo) -> None:
        super().__init__(config.embedding, config.max_tokens)
        self._tokenizer = _fitted(config, info)
        self.embedding = nn.Embedding(len(self._tokenizer), config.embedding, padding_idx=PAD)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with `tokens` (B, L)."""
        return _tokenised(batch, self._tokenizer)

    def tokenizer_json(self) -> str | None:
        """The fitted tokenizer."""
        return self._tokenizer.to_json()

    def forward(self, batch: Batch) -> Padded:
        """(B, L, D) embedded tokens."""
        tokens = _tokens(batch)
        return Padded(masked(self.embedding(tokens.values), tokens.mask), tokens.mask)


class EncodedTokens(TextStates):
    """Last states of a text encoder, over tokens of the transcript or ids that the data set stores."""

    def __init__(self, config: BaselineConfig, info: DataInfo) -> None:
        tokenizer: HubTokenizer | ByteLevelBPE | None
        reads_ids = config.text_source == "token_ids"
        if config.pretrained is not None:
            tokenizer, encoder, origin = pretrained_parts(
                config.pretrained, config.max_tokens, is_trained=info.tokenizer_json is not None
            )
        else:
            tokenizer = None if reads_ids else _fitted(config, info)
            count = config.vocabulary if tokenizer is None else len(tokenizer)
            encoder = fresh_encoder(_sizes(config, count))
            origin = f"{config.architecture} with fresh weights"
        super().__init__(encoder.config.hidden_size, config.max_tokens, config.encoder_rate)
        self.encoder = encoder
        self._tokenizer = None if reads_ids else tokenizer
        self._origin = origin

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with `tokens` (B, L), unless ids are read."""
        return batch if self._tokenizer is None else _tokenised(batch, self._tokenizer)

    def tokenizer_json(self) -> str | None:
        """The tokenizer of the encoder; None when ids are read."""
        return None if self._tokenizer is None else self._tokenizer.to_json()

    def notes(self) -> tuple[str, ...]:
        """Where the encoder's weights are from."""
        return (f"text encoder: {self._origin}",)

    def ids(self, batch: Batch) -> Padded:
        """(B, L) ids and which of them exist, at least one a clip: an encoder has states of something.

        Raises:
            ValueError: the encoder has no token of some id, or no position for so many of them.
        """
        found = _tokens(batch) if self._tokenizer is not None else _stored_ids(batch)
        longest = int(found.lengths.max())
        if longest > self.steps:
            raise ValueError(
                f"a clip has {longest} token ids, and the text encoder is to read {self.steps} at most; "
                "set max_tokens"
            )
        known = self.encoder.config.vocab_size
        highest = int(found.values.max())
        if highest >= known:
            raise ValueError(f"token id {highest} is given, and the text encoder has {known} tokens")
        first = torch.zeros_like(found.mask)
        first[:, 0] = True
        return Padded(found.values, found.mask | first)

    def forward(self, batch: Batch) -> Padded:
        """(B, L, D) last states of the encoder."""
        tokens = self.ids(batch)
        found = self.encoder(input_ids=tokens.values, attention_mask=tokens.mask.long())
        return Padded(masked(found.last_hidden_state, tokens.mask), tokens.mask)


def text_states(config: BaselineConfig, info: DataInfo) -> TextStates:
    """What a configuration reads text with."""
    if config.text_source == "features":
        return TextStates(info.width("text"), info.steps("text"))
    return (EmbeddedTokens if config.text_source == "transcript" else EncodedTokens)(config, info)


def masked(states: Tensor, mask: Tensor) -> Tensor:
    """States (B, T, D), zero where no step exists."""
    return states.masked_fill(~mask.unsqueeze(2), 0)


def _fitted(config: BaselineConfig, info: DataInfo) -> ByteLevelBPE:
    return stored_or_fitted(info, lower_if_capitals, config.vocabulary, config.max_tokens)


def _sizes(config: BaselineConfig, vocabulary: int) -> EncoderSizes:
    return EncoderSizes(
        architecture=config.architecture,
        width=config.encoder_width,
        layers=config.encoder_layers,
        heads=config.encoder_heads,
        vocabulary=config.encoder_rows or vocabulary,
        max_tokens=config.max_tokens,
        dropout=0.1,
    )


def _tokenised(batch: Batch, tokenizer: ByteLevelBPE | HubTokenizer) -> Batch:
    return replace(batch, tokens=tokenizer.encode(lower_if_capitals(batch.transcripts or ())))


def _tokens(batch: Batch) -> Padded:
    if batch.tokens is None:
        raise ValueError("the batch has no tokens; call tokenise on the clips first")
    return batch.tokens


def _stored_ids(batch: Batch) -> Padded:
    if batch.token_ids is None:
        raise ValueError("the batch has no token_ids; the data set stores none (key text_bert)")
    return batch.token_ids
