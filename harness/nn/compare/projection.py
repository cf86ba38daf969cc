"""A linear map for losses that compare representations of different widths."""

from __future__ import annotations

from torch import Tensor, nn

from harness.nn.compare.geometry import precise


class Projection(nn.Module):
    """A linear map with a bias, whose widths are told once a model's outputs have been seen."""

    def __init__(self) -> None:
        super().__init__()
        self.linear: nn.Linear | None = None

    def between(self, width_in: int, width: int) -> None:
        """Makes the parameters, drawn anew; where and how precise they are is left to the engine."""
        self.linear = nn.Linear(width_in, width)

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, width) of vectors (B, width_in), in single precision at least.

        Raises:
            ValueError: the widths have not been told.
        """
        if self.linear is None:
            raise ValueError("a loss with parameters was called before it was adapted to the outputs")
        return precise(self.linear(vectors.to(self.linear.weight.dtype)))
