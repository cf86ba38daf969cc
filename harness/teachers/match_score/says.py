"""What the teacher reads from a clip's vector: its class, and how it matches others."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from harness.nn.compare.geometry import units
from harness.nn.compare.match import match_factors
from harness.nn.mlp import mlp

CLASS_SCALE = 1 / 0.07
"""Where CLIP starts its inverse temperature (arXiv 2103.00020, section 2.5)."""

MATCH_SCALE, MATCH_BIAS = 10.0, -5.0
"""Where clips of one direction match (0.99) and orthogonal ones do not (0.01)."""


class ClassPrompts(nn.Module):
    """A vector a class, and the cosines with a clip's vector as logits.

    Args:
        prompts: (K, D).
        log_scale: () log of the inverse temperature that training starts from.
        is_learned: whether the vectors are trained; the temperature is.
    """

    def __init__(self, prompts: Tensor, log_scale: Tensor, *, is_learned: bool) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(log_scale.detach().clone())
        self.prompts: Tensor
        if is_learned:
            self.prompts = nn.Parameter(prompts)
        else:
            self.register_buffer("prompts", prompts)

    def forward(self, clip: Tensor) -> Tensor:
        """(B, K) exp(log_scale) cos(e, prompts) of clips' vectors e (B, D)."""
        return self.log_scale.exp() * normalize(clip, dim=1) @ normalize(self.prompts, dim=1).T


def learned_prompts(count: int, width: int) -> ClassPrompts:
    """Prompts (count, width) that start in random directions."""
    return ClassPrompts(torch.randn(count, width), torch.tensor(math.log(CLASS_SCALE)), is_learned=True)


class MatchHead(nn.Module):
    """Factors of m_ij = sigmoid(scale cos(h_i, h_j) + bias), h a layer on a clip's vector.

    Scale > 0 and bias are learned, as the t and b of the sigmoid loss (Zhai et al. 2023, arXiv
    2303.15343, algorithm 1), but start elsewhere, as here more than one clip matches.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.direction = mlp((width, width, width), dropout)
        self.log_scale = nn.Parameter(torch.tensor(math.log(MATCH_SCALE)))
        self.bias = nn.Parameter(torch.tensor(MATCH_BIAS))

    def forward(self, clip: Tensor) -> Tensor:
        """(B, D + 1) factors of clips' vectors (B, D)."""
        directions = units(self.direction(self.norm(clip)))
        return match_factors(directions, self.log_scale.exp(), self.bias)
