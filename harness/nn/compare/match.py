"""Match scores of pairs of clips, from a vector a clip.

A teacher that judges pairs says one vector of each clip, its factors, so that what it says can be
stored, permuted and read back clip by clip; the score of a pair is then a product.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.nn.compare.geometry import precise, products


def match_logits(factors: Tensor) -> Tensor:
    """(B, B) match logits of all pairs of clips: f_i · f_j + (b_i + b_j) / 2, symmetric.

    Args:
        factors: (B, M + 1), f in the first M columns and b in the last. The match score m of a pair,
            in [0, 1], is the sigmoid of its logit.
    """
    factors = precise(factors)
    vectors, bias = factors[:, :-1], factors[:, -1]
    return products(vectors, vectors) + (bias[:, None] + bias) / 2


def match_factors(directions: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """(B, M + 1) factors whose logits are scale · d_i · d_j + bias.

    Args:
        directions: (B, M) a vector a clip.
        scale: () not negative.
        bias: ().
    """
    return torch.cat((scale.sqrt() * directions, bias.expand(len(directions), 1)), dim=1)
