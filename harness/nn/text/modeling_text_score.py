"""A score from the words of a clip: a text encoder, a pooling over tokens and a linear head.

This file leaves with the weights: it needs torch and transformers, and nothing of AdviserBench.

Letters: B texts, L tokens, D features, K sentiment levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput


class TextScoreConfig(PreTrainedConfig):
    """What the encoder is, and how a score is read from its states.

    Args:
        encoder: the encoder's own configuration, with its `model_type`.
        pooling: cls (the first state), mean (over states) or attention (a learned weighting of them).
        levels: K class logits beside the score; 0 = none.
        max_tokens: longer texts are cut.
        lowercase_capitals: whether texts without a lower-case letter are lower-cased before tokenising.
    """

    model_type = "adviserbench_text_score"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        pooling: str = "mean",
        levels: int = 0,
        max_tokens: int = 64,
        lowercase_capitals: bool = True,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.encoder = encoder or {"model_type": "roberta"}
        self.pooling = pooling
        self.levels = levels
        self.max_tokens = max_tokens
        self.lowercase_capitals = lowercase_capitals


@dataclass
class TextScoreOutput(ModelOutput):
    """What is said of B texts.

    Attributes:
        score: (B,) the regression.
        class_logits: (B, K) one logit a sentiment level, lowest level first; None without levels.
        embedding: (B, D) the vector that both are read from.
    """

    score: Tensor | None = None
    class_logits: Tensor | None = None
    embedding: Tensor | None = None


class TextScoreModel(PreTrainedModel):
    """A score, and class logits if there are levels, from token ids; `score` takes texts."""

    config_class = TextScoreConfig

    def __init__(self, config: TextScoreConfig) -> None:
        super().__init__(config)
        sizes = dict(config.encoder)
        self.encoder = AutoModel.from_config(AutoConfig.for_model(sizes.pop("model_type"), **sizes))
        # No pooling here reads it.
        if hasattr(self.encoder, "pooler"):
            self.encoder.pooler = None
        width = self.encoder.config.hidden_size
        self.query = nn.Parameter(torch.zeros(width)) if config.pooling == "attention" else None
        self.head = nn.Linear(width, 1)
        self.levels = nn.Linear(width, config.levels) if config.levels else None
        self.post_init()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any
    ) -> TextScoreOutput:
        """What is said of token ids (B, L); the mask (B, L) is 1 where a token exists, default all."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        states = self.encoder(input_ids=input_ids, attention_mask=mask).last_hidden_state
        vector = self._pooled(states.masked_fill(~mask.bool().unsqueeze(2), 0), mask.bool())
        logits = None if self.levels is None else self.levels(vector)
        return TextScoreOutput(self.head(vector).squeeze(1), logits, vector)

    @torch.inference_mode()
    def score(self, texts: Sequence[str], tokenizer: Any, batch_size: int = 64) -> list[float]:
        """The score of each text, read as in training: capitals, tokens and their limit included.

        Raises:
            ValueError: a text has nothing but white space.
        """
        empty = [row for row, text in enumerate(texts) if not text.strip()]
        if empty:
            raise ValueError(f"text {empty[0]} is empty; the model needs one word")
        read = [self.cased(text) for text in texts]
        found: list[float] = []
        for start in range(0, len(read), batch_size):
            tokens = tokenizer(
                read[start : start + batch_size],
                padding=True,
                truncation=True,
                max_length=self.config.max_tokens,
                return_tensors="pt",
            ).to(self.device)
            said = self(tokens["input_ids"], tokens["attention_mask"])
            found += said.score.float().tolist()
        return found

    def cased(self, text: str) -> str:
        """The text in the case that was trained on: lower, if it has no lower-case letter."""
        keeps = not self.config.lowercase_capitals or any(letter.islower() for letter in text)
        return text if keeps else text.lower()

    def _pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        """States (B, L, D), zero in padding, to one vector a text (B, D)."""
        if self.config.pooling == "cls":
            return states[:, 0]
        if self.query is None:
            return states.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        logits = states @ self.query / states.shape[2] ** 0.5
        shares = logits.masked_fill(~mask, torch.finfo(logits.dtype).min).softmax(1)
        return (shares.masked_fill(~mask, 0).unsqueeze(2) * states).sum(1)
