"""Video-enhanced prompts: the class prompts look at a clip before it is compared with them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from harness.nn.attention import CrossAttention
from harness.nn.mlp import mlp
from harness.types import Padded

LAYERS = 2


def standardised(tokens: Tensor) -> Tensor:
    """Tokens (..., d) with mean 0 and variance 1 each: a layer norm before its gain and bias."""
    return layer_norm(tokens, tokens.shape[-1:])


class VideoPrompts(nn.Module):
    """c + alpha c', with c' what two layers of cross-attention to the clip's tokens make of c.

    X-CLIP (Ni et al. 2022, arXiv 2208.02816), section 3.3; alpha is a learned D-vector. Of a clip's
    patch tokens X-CLIP takes LN(d), a d × D map, the mean over frames and LN. All after the
    standardising is linear, so the mean over frames can be taken first, and only that is handed in.

    Args:
        width_in: d of the tokens that are looked at.
        width: D of the prompts.
        alpha: where each element of alpha starts.
    """

    def __init__(self, width_in: int, width: int, alpha: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width_in))
        self.bias = nn.Parameter(torch.zeros(width_in))
        self.projection = nn.Linear(width_in, width, bias=False)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList([PromptLayer(width) for _ in range(LAYERS)])
        self.alpha = nn.Parameter(torch.full((width,), alpha))

    def forward(self, prompts: Tensor, seen: Padded) -> Tensor:
        """(B, K, D) prompts of each clip.

        Args:
            prompts: (K, D) of the text tower.
            seen: (B, N, d) standardised tokens, averaged over frames if they are patches.
        """
        steps = self.norm(self.projection(seen.values * self.gain + self.bias))
        given = prompts.expand(len(steps), -1, -1)
        made = given
        for layer in self.layers:
            made = layer(made, steps, seen.mask)
        return given + self.alpha * made


class PromptLayer(nn.Module):
    """c <- c + attention(LN c, z), then c <- c + MLP(LN c)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = CrossAttention(width)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = mlp((width, 4 * width, width))

    def forward(self, prompts: Tensor, steps: Tensor, mask: Tensor) -> Tensor:
        """(B, K, D) of prompts (B, K, D), steps (B, N, D) and a bool mask (B, N)."""
        prompts = prompts + self.attention(self.norm_attention(prompts), steps, mask)
        return prompts + self.mlp(self.norm_mlp(prompts))
