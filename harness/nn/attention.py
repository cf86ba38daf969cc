"""Multi-head attention over sequences of which some steps do not exist."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

HEAD_WIDTH = 64


def heads_of(width: int) -> int:
    """The number of heads: width / 64, at least 1; the next lower divisor where that is none."""
    return next(heads for heads in range(max(1, width // HEAD_WIDTH), 0, -1) if width % heads == 0)


class SelfAttention(nn.Module):
    """Every step asks every existing step (Vaswani et al. 2017, arXiv 1706.03762, equation 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = heads_of(width)
        self.inner = nn.Linear(width, 3 * width)
        self.outer = nn.Linear(width, width)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D) of steps (B, T, D) and a bool mask (B, T); what missing steps get is arbitrary."""
        queries, keys, values = self.inner(steps).chunk(3, dim=2)
        return self.outer(_attend(queries, keys, values, mask, self.heads))


class CrossAttention(nn.Module):
    """Every query asks every existing step of another sequence; queries, keys, values without bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = heads_of(width)
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.outer = nn.Linear(width, width)

    def forward(self, queries: Tensor, steps: Tensor, mask: Tensor) -> Tensor:
        """(B, K, D) of queries (B, K, D), steps (B, T, D) and a bool mask (B, T)."""
        keys, values = self.key(steps), self.value(steps)
        return self.outer(_attend(self.query(queries), keys, values, mask, self.heads))


def _attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, heads: int) -> Tensor:
    queries, keys, values = (
        part.unflatten(2, (heads, -1)).transpose(1, 2) for part in (queries, keys, values)
    )
    # Over nothing a softmax is not a number, and so is its gradient: then all zeros are looked at.
    visible = mask | ~mask.any(1, keepdim=True)
    found = scaled_dot_product_attention(queries, keys, values, attn_mask=visible[:, None, None])
    return found.transpose(1, 2).flatten(2)
