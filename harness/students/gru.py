"""The student without attention: a recurrent net over the words of a clip."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from harness.nn.heads import ScoreHead
from harness.nn.text.bpe import PAD, stored_or_fitted
from harness.nn.text.words import Words, WordsConfig
from harness.registry import STUDENTS
from harness.spec import ChoiceSpace, FloatSpace, IntSpace, OutputName
from harness.types import Batch, DataInfo, Outputs, Padded


class GruConfig(WordsConfig):
    """Sizes of the recurrent net, and how its states become one vector."""

    width: int = Field(
        64, ge=4, multiple_of=2, description="width of a state, half of it from each direction; even"
    )
    embedding: int = Field(64, ge=1, description="width of a token's learned vector")
    layers: int = Field(1, ge=1, description="recurrent layers")
    vocabulary: int = Field(2000, ge=300, description="BPE tokens fitted to train")
    max_tokens: int = Field(64, ge=8, description="longer transcripts are cut")
    dropout: float = Field(
        0.1, ge=0, lt=1, description="on token vectors, between layers and before the head"
    )
    pooling: Literal["mean", "last"] = Field(
        "last", description="mean over tokens, or each direction's state after its last token"
    )
    lowercase_capitals: bool = Field(True, description="lower-case transcripts that are all capitals")

    def gives(self) -> frozenset[OutputName]:
        """Also the pooled vector and the token states, for losses between representations."""
        return super().gives() | {"embedding", "hidden"}

    def halved(self) -> Self:
        """Half the width of states and token vectors, rounded down to what is allowed."""
        return self.resized(width=self.width // 4 * 2, embedding=max(1, self.embedding // 2))


@STUDENTS.register(
    "gru",
    config=GruConfig,
    paper="Cho et al. 2014, arXiv 1406.1078; bidirectional as Schuster and Paliwal 1997, "
    "doi 10.1109/78.650093",
    tiny={"width": 8, "embedding": 8, "vocabulary": 300, "max_tokens": 16},
    space={
        "width": IntSpace(low=16, high=128, step=2),
        "embedding": IntSpace(low=16, high=128, log=True),
        "layers": IntSpace(low=1, high=3),
        "vocabulary": IntSpace(low=500, high=4000, log=True),
        "pooling": ChoiceSpace(choices=("mean", "last")),
        "dropout": FloatSpace(low=0, high=0.5),
    },
)
class Gru(nn.Module):
    """A score from the words of a clip: token vectors, bidirectional GRU, pooling, linear head."""

    def __init__(self, config: GruConfig, info: DataInfo) -> None:
        super().__init__()
        self._words = Words(info.train_transcripts, config.lowercase_capitals)
        self._tokenizer = stored_or_fitted(info, self._words.cased, config.vocabulary, config.max_tokens)
        self._pooling = config.pooling
        self.embedding = nn.Embedding(len(self._tokenizer), config.embedding, padding_idx=PAD)
        self.dropout = nn.Dropout(config.dropout)
        self.gru = nn.GRU(
            config.embedding,
            config.width // 2,
            config.layers,
            batch_first=True,
            bidirectional=True,
            # Dropout between layers; torch warns where there is no between.
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.head = ScoreHead(config.width, config.levels, config.dropout)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with `tokens` (B, L) of their transcripts.

        Raises:
            BadInput: a transcript is empty.
        """
        return replace(batch, tokens=self._tokenizer.encode(self._words.read(batch)))

    def tokenizer_json(self) -> str:
        """The fitted tokenizer as the library `tokenizers` stores it."""
        return self._tokenizer.to_json()

    def forward(self, batch: Batch) -> Outputs:
        """Score (B,), pooled vector (B, D) and token states (B, L, D) from `batch.tokens`."""
        if batch.tokens is None:
            raise ValueError("the student reads tokens; call tokenise on the clips first")
        hidden, last = self._states(batch.tokens)
        return self.head.outputs(hidden.mean() if self._pooling == "mean" else last, hidden)

    def notes(self) -> tuple[str, ...]:
        """What was done to the words."""
        return self._words.notes()

    def _states(self, tokens: Padded) -> tuple[Padded, Tensor]:
        """Token states (B, L, D), and the last state of each direction side by side (B, D)."""
        vectors = self.dropout(self.embedding(tokens.values))
        # Packed, so that the backward direction starts at a clip's last token, not in its padding.
        packed = pack_padded_sequence(
            vectors, tokens.lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        states, last = self.gru(packed)
        values, _ = pad_packed_sequence(states, batch_first=True, total_length=tokens.mask.shape[1])
        return Padded(values, tokens.mask), torch.cat((last[-2], last[-1]), dim=1)
