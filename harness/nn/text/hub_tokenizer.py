"""A pretrained tokenizer as students use one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from harness.types import Padded


class HubTokenizer:
    """A tokenizer of transformers, with its own special tokens around every text.

    Args:
        tokenizer: as `AutoTokenizer` gives it.
        max_tokens: longer texts are cut, the special tokens kept.
    """

    def __init__(self, tokenizer: Any, max_tokens: int) -> None:
        tokenizer.padding_side = "right"
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens

    def encode(self, transcripts: Sequence[str]) -> Padded:
        """Token ids (B, L), and which of them are not padding."""
        encoded = self._tokenizer(
            list(transcripts),
            padding=True,
            truncation=True,
            max_length=self._max_tokens,
            return_tensors="pt",
        )
        return Padded(encoded["input_ids"], encoded["attention_mask"].bool())

    def cut_at(self, max_tokens: int) -> Any:
        """The tokenizer of transformers, as it is stored to read no more than so many tokens."""
        cut = deepcopy(self._tokenizer)
        cut.model_max_length = max_tokens
        return cut

    def to_json(self) -> str | None:
        """The tokenizer as the library `tokenizers` stores it; None if it is not one of them."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        return None if backend is None else str(backend.to_str())
