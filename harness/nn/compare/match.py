"""Match scores of pairs of clips, from a vector a clip.

A teacher that judges pairs says one vector of each clip, its factors, so that what it says can be
stored, permuted and read back clip by clip; the score of a pair is then a product.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.nn.compare.geometry import precise, products, units
from harness.types import Outputs


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


def match_targets(advice: Outputs | None) -> Tensor:
    """(B, B) what a teacher's match scores ask of the similarities of a student, without a gradient.

    The score m_ij for two clips, in [0, 1]; 1 for a clip and itself, whatever the teacher says: a sound
    and the pictures it was recorded with are of one class, and no teacher is needed to know that.

    Raises:
        ValueError: there is no advice, or no match factors in it.
    """
    if advice is None:
        raise ValueError("the loss compares with a teacher's match scores, and no advice was given")
    scores = match_logits(advice.tensor("match").detach()).sigmoid()
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    return scores.masked_fill(own, 1)


def same_class(class_logits: Tensor) -> Tensor:
    """(B, B) the probability p_i · p_j that two clips share a class, p = softmax of logits (B, K).

    For a clip and itself it is that of two independent draws, sum of p^2, below 1 unless p is certain.
    """
    shares = precise(class_logits).softmax(1)
    return products(shares, shares)


def cosines(outputs: Outputs) -> Tensor:
    """(B, B) cosines S of sounds (rows) with pictures (columns); 0 where a vector is zero."""
    audio, vision = (outputs.tensor(name) for name in ("audio_embedding", "vision_embedding"))
    return products(units(audio), units(vision))


def within_modalities(outputs: Outputs) -> tuple[Tensor, Tensor]:
    """(B, B) cosines of sounds with sounds, and of pictures with pictures."""
    audio = units(outputs.tensor("audio_embedding"))
    vision = units(outputs.tensor("vision_embedding"))
    return products(audio, audio), products(vision, vision)
