"""Feed-forward blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def mlp(
    widths: Sequence[int], dropout: float = 0.0, activation: type[nn.Module] = nn.GELU
) -> nn.Sequential:
    """Linear layers from ``widths[0]`` to ``widths[-1]``, an activation and dropout between them."""
    layers: list[nn.Module] = []
    for inner, outer in pairwise(widths):
        if layers:
            layers += [activation(), nn.Dropout(dropout)]
        layers.append(nn.Linear(inner, outer))
    return nn.Sequential(*layers)
