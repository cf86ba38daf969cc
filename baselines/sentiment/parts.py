"""What the sentiment baselines share: how they read words, and the fields that say so."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from harness.nn.sequence import LastState
from harness.nn.text.bpe import PAD, ByteLevelBPE
from harness.nn.text.transcript import lower_if_capitals
from harness.spec import FloatSpace, IntSpace, ModelConfig, OutputName, Space, View
from harness.types import Batch, DataInfo, Padded

TEXT_SPACE: dict[str, Space] = {
    "embedding": IntSpace(low=16, high=128, log=True, when={"text_source": "transcript"}),
    "vocabulary": IntSpace(low=500, high=4000, log=True, when={"text_source": "transcript"}),
    "dropout": FloatSpace(low=0, high=0.5),
}
"""What a search tries for the fields that every baseline has."""


class BaselineConfig(ModelConfig):
    """Fields that every feature baseline has."""

    text_source: Literal["features", "transcript"] = Field(
        "features", description="text features of the data set, or a learned embedding of its words"
    )
    embedding: int = Field(32, ge=1, description="width of the learned word embedding")
    vocabulary: int = Field(2000, ge=300, description="BPE tokens fitted to the training transcripts")
    max_tokens: int = Field(64, ge=8, description="longer transcripts are cut")
    dropout: float = Field(0.2, ge=0, lt=1, description="after each sub-network and between layers")

    def text_view(self) -> View:
        """The view that the words come from."""
        return "text" if self.text_source == "features" else "transcript"

    def needs(self) -> frozenset[View]:
        """Every modality."""
        return frozenset({self.text_view(), "vision", "audio"})

    def gives(self) -> frozenset[OutputName]:
        """Also the fused vector."""
        return frozenset({"score", "embedding"})


class TextEntry(nn.Module):
    """Text features, or embedded tokens, through an LSTM and a linear layer: (B, width).

    The text sub-network of TFN (Zadeh et al. 2017, section 4.2), which LF-DNN shares in MMSA.
    """

    def __init__(self, config: BaselineConfig, width: int, info: DataInfo) -> None:
        super().__init__()
        self._tokenizer: ByteLevelBPE | None = None
        width_in = config.embedding
        if config.text_source == "features":
            width_in = info.width("text")
        else:
            transcripts = lower_if_capitals(info.train_transcripts)
            self._tokenizer = ByteLevelBPE(transcripts, config.vocabulary, config.max_tokens)
            self.embedding = nn.Embedding(len(self._tokenizer), config.embedding, padding_idx=PAD)
        self.state = LastState(width_in, width)
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(width, width)

    def tokenise(self, batch: Batch) -> Batch:
        """The same clips with tokens, when the text is read as words; else the same clips."""
        if self._tokenizer is None:
            return batch
        transcripts = lower_if_capitals(batch.transcripts or ())
        return replace(batch, tokens=self._tokenizer.encode(transcripts))

    def tokenizer_json(self) -> str | None:
        """The fitted tokenizer as the library `tokenizers` stores it; None for text features."""
        return None if self._tokenizer is None else self._tokenizer.to_json()

    def forward(self, batch: Batch) -> Tensor:
        """(B, width) text vectors."""
        return self.linear(self.dropout(self.state(self._sequence(batch))))

    def _sequence(self, batch: Batch) -> Padded:
        if self._tokenizer is None:
            if batch.text is None:
                raise ValueError("the batch has no text features")
            return batch.text
        if batch.tokens is None:
            raise ValueError("the batch has no tokens; call tokenise on the clips first")
        return Padded(self.embedding(batch.tokens.values), batch.tokens.mask)
