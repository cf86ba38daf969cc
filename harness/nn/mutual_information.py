"""What a lower bound of mutual information is estimated with."""

from __future__ import annotations

from torch import Tensor, nn


class ConditionalGaussian(nn.Module):
    """The Gaussian q(y | x) with a diagonal covariance: x (B, width_in), y (B, width).

    Of Barber and Agakov 2003; mean and logarithm of the variances are each a network of one rectified
    hidden layer.
    """

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.mean = _network(width_in, width)
        self.log_variance = _network(width_in, width)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance (B, width) given `vectors` (B, width_in)."""
        return self.mean(vectors), self.log_variance(vectors)


class FixedProjection(nn.Module):
    """A random linear map to fewer features, then the hyperbolic tangent; it is not trained.

    An entropy is estimated of its outputs. Trained to raise that, it would spread them by itself.
    """

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width).requires_grad_(False)

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, width) of vectors (B, width_in)."""
        return self.linear(vectors).tanh()


def _network(width_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width_in, width), nn.ReLU(), nn.Linear(width, width))
