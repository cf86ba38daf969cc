"""What is read from a clip's vector: the score and, where a loss asks for it, class logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from harness.types import Outputs

if TYPE_CHECKING:
    from harness.types import Padded


class ScoreHead(nn.Linear):
    """A linear layer from a clip's vector to its score, and one beside it to K class logits.

    The layer to the score is made first and both read the same vector, so that a model with class
    logits starts from the weights, and sees the dropout, of one without.

    Args:
        width: D of the vectors.
        levels: K; 0 = no class logits.
        dropout: share of the vector that is dropped in training.
    """

    def __init__(self, width: int, levels: int = 0, dropout: float = 0.0) -> None:
        super().__init__(width, 1)
        self.levels = nn.Linear(width, levels) if levels else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, vector: Tensor) -> tuple[Tensor, Tensor | None]:
        """Score (B,) and class logits (B, K), None without levels, of vectors (B, D)."""
        seen = self.dropout(vector)
        return super().forward(seen).squeeze(1), None if self.levels is None else self.levels(seen)

    def outputs(self, vector: Tensor, hidden: Padded | None = None) -> Outputs:
        """The same as outputs, with the vector as embedding."""
        score, class_logits = self(vector)
        return Outputs(score, class_logits=class_logits, embedding=vector, hidden=hidden)
