"""Cross-frame communication: the frames of a clip exchange messages in every layer of a ViT."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from harness.nn.attention import SelfAttention
from harness.nn.stretches import spread


class Message(nn.Module):
    """One layer's messages: a linear map of each class token, then attention among the frames.

    X-CLIP (Ni et al. 2022, arXiv 2208.02816), section 3.2: m = W z + b of the class token z, then
    m <- m + attention(LN m) over the frames of one clip, which have no positions there.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.make = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width)

    def forward(self, class_tokens: Tensor, mask: Tensor) -> Tensor:
        """(n, d) messages of class tokens (n, d), the existing frames of a mask (B, T) in its order."""
        own = self.make(class_tokens)
        heard = self.attention(spread(self.norm(own), mask), mask)
        return own + heard[mask]


class CrossFrame(nn.Module):
    """The fresh parts of cross-frame communication, to be run through a tower's own blocks.

    X-CLIP, section 3.2: a frame's message joins its tokens for the block's attention and is dropped
    before the block's MLP.

    Args:
        width: d of the tower.
        layers: how many blocks the tower has.
    """

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.messages = nn.ModuleList([Message(width) for _ in range(layers)])

    def forward(self, tokens: Tensor, blocks: Iterable[Any], mask: Tensor) -> Tensor:
        """The last block's tokens (n, 1 + N, d), class token first.

        Args:
            tokens: (n, 1 + N, d) of the n existing frames.
            blocks: open_clip's residual attention blocks, one a layer.
            mask: (B, T) bool, which frames exist; n of them.
        """
        for message, block in zip(self.messages, blocks, strict=True):
            tokens = _through(block, tokens, message(tokens[:, 0], mask))
        return tokens


def _through(block: Any, tokens: Tensor, message: Tensor) -> Tensor:
    joined = block.ln_1(torch.cat((tokens, message.unsqueeze(1)), dim=1))
    # The two kinds of blocks: the customised one has no method for its attention.
    plain = hasattr(block, "attention")
    heard = block.attention(joined) if plain else block.ln_attn(block.attn(joined))
    tokens = tokens + block.ls_1(heard[:, :-1])
    return tokens + block.ls_2(block.mlp(block.ln_2(tokens)))
