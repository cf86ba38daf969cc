"""One block of several transformers side by side, each with weights of its own.

Letters: n of the N transformers, B clips, T steps of who asks, S steps of who is asked, D features.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, scaled_dot_product_attention

from harness.nn.dropout import BitDropout

CACHED_LOGITS = 500_000

Chosen = list[int] | None
"""Which of the N transformers run; None = all."""


Positions = Literal["interleaved", "halves", "none"]


@dataclass(frozen=True)
class TransformerOptions:
    """Sizes and switches that transformers side by side share.

    Attributes:
        width, heads, layers: D, which the heads divide, and the number of blocks.
        positions: what is added to the steps, see `sinusoids`; with ``halves`` a step whose first
            feature is zero has no position.
        is_scaled: whether steps are multiplied by the root of D before positions are added.
        adds_normalised: whether a sublayer adds to its normalised input, or to the input itself.
        is_causal: whether step t asks steps up to t + |n - m| only, of n and m existing ones.
        embedding_dropout, relu_dropout, residual_dropout: on the steps, within and after sublayers.
    """

    width: int
    heads: int
    layers: int
    positions: Positions = "interleaved"
    is_scaled: bool = False
    adds_normalised: bool = True
    is_causal: bool = False
    embedding_dropout: float = 0.0
    relu_dropout: float = 0.0
    residual_dropout: float = 0.0


@dataclass(frozen=True)
class Asking:
    """Who asks, and what of those who are asked is seen.

    Attributes:
        chosen: n of the N transformers.
        visible: what is added to logits, (n B, 1, T or 1, S); None where all is seen.
        dropouts: of attention, and for how many of the n, in a row, each of them holds.
    """

    chosen: Chosen
    visible: Tensor | None
    dropouts: list[tuple[BitDropout, int]]


class Block(nn.Module):
    """Attention and a feed-forward net, with a norm before each (arXiv 1906.00295, equation 4)."""

    def __init__(self, count: int, options: TransformerOptions) -> None:
        super().__init__()
        self.options, width = options, options.width
        self.within, self.after = BitDropout(options.relu_dropout), BitDropout(options.residual_dropout)
        self.norms = nn.ModuleList([Norms(count, width), Norms(count, width)])
        self.inner = Linears(count, width, 3 * width)
        self.outer = Linears(count, width, width)
        self.widen = Linears(count, width, 4 * width)
        self.narrow = Linears(count, 4 * width, width)

    def forward(self, steps: Tensor, others: Tensor | None, asking: Asking) -> Tensor:
        """(n, B, T, D) of steps (n, B, T, D) that ask `normalised` others (n, B, S, D) or themselves."""
        normed = self.norms[0](normalised(steps), asking.chosen)
        found = self.after(self.outer(self._asked(normed, others, asking), asking.chosen))
        steps = (normed if self.options.adds_normalised else steps) + found
        normed = self.norms[1](normalised(steps), asking.chosen)
        wide = self.within(torch.relu(self.widen(normed, asking.chosen)))
        found = self.after(self.narrow(wide, asking.chosen))
        return (normed if self.options.adds_normalised else steps) + found

    def _asked(self, steps: Tensor, others: Tensor | None, asking: Asking) -> Tensor:
        """(n, B, T, D) what the steps learn from the others, heads side by side."""
        width = steps.shape[3]
        weight, bias = self.inner.of(asking.chosen)
        asked = steps if others is None else self.norms[0](others, asking.chosen)
        if asked.shape[2] == 1:
            values = linear(asked, weight[:, 2 * width :], bias[:, :, 2 * width :])
            return _of_one(values, steps.shape[2], self.options.heads, asking)
        if others is None:
            queries, keys, values = linear(steps, weight, bias).chunk(3, dim=3)
        else:
            weights, biases = weight.split((width, 2 * width), 1), bias.split((width, 2 * width), 2)
            queries = linear(steps, weights[0], biases[0])
            keys, values = linear(asked, weights[1], biases[1]).chunk(2, dim=3)
        return _of_many(queries, keys, values, self.options.heads, asking)


def normalised(steps: Tensor) -> Tensor:
    """(..., D) of mean 0 and variance 1, which each block gives gains and offsets of its own."""
    return layer_norm(steps, steps.shape[-1:])


def linear(steps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(n, B, T, D') of steps (n, B, T, D), weights (n, D', D) and biases (n, 1, D')."""
    found = torch.baddbmm(bias, steps.flatten(1, 2), weight.transpose(1, 2))
    return found.unflatten(1, steps.shape[1:3])


class Linears(nn.Module):
    """N linear maps side by side; biases are one row, because a row does not decay."""

    def __init__(self, count: int, width_in: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, width, width_in))
        for each in self.weight:
            nn.init.xavier_uniform_(each)
        self.bias = nn.Parameter(torch.zeros(count * width))

    def of(self, chosen: Chosen) -> tuple[Tensor, Tensor]:
        """(n, D', D) weights and (n, 1, D') biases of the chosen maps."""
        count, width, _ = self.weight.shape
        weight, bias = self.weight, self.bias.view(count, 1, width)
        return (weight, bias) if chosen is None else (weight[chosen], bias[chosen])

    def forward(self, steps: Tensor, chosen: Chosen) -> Tensor:
        """(n, B, T, D') of steps (n, B, T, D)."""
        return linear(steps, *self.of(chosen))


class Norms(nn.Module):
    """Gains and offsets of N layer norms."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.count = count
        self.weight = nn.Parameter(torch.ones(count * width))
        self.bias = nn.Parameter(torch.zeros(count * width))

    def forward(self, steps: Tensor, chosen: Chosen) -> Tensor:
        """(n, B, T, D) of steps (n, B, T, D) that are `normalised`."""
        gain, offset = (each.view(self.count, 1, 1, -1) for each in (self.weight, self.bias))
        if chosen is not None:
            gain, offset = gain[chosen], offset[chosen]
        return torch.addcmul(offset, steps, gain)


def _of_one(values: Tensor, steps: int, heads: int, asking: Asking) -> Tensor:
    """(n, B, T, D) of the one step (n, B, 1, D) that there is to see: all attention is on it."""
    if not any(dropout.training and dropout.p for dropout, _ in asking.dropouts):
        return values.expand(-1, -1, steps, -1)
    clips = values.shape[1]
    shares = torch.cat(
        [dropout(values.new_ones(count, clips, steps, heads, 1)) for dropout, count in asking.dropouts]
    )
    return (values.unflatten(3, (heads, -1)) * shares).flatten(3)


def _of_many(queries: Tensor, keys: Tensor, values: Tensor, heads: int, asking: Asking) -> Tensor:
    """(n, B, T, D) of queries (n, B, T, D), keys and values (n, B, S, D)."""
    count, clips, steps, width = queries.shape
    apart = [
        part.reshape(count * clips, -1, heads, width // heads).transpose(1, 2)
        for part in (queries, keys, values)
    ]
    # Those of one dropout run as one.
    sizes = [alike * clips for _, alike in asking.dropouts]
    parts = zip(*(part.split(sizes) for part in apart), strict=True)
    seen = [None] * len(sizes) if asking.visible is None else asking.visible.split(sizes)
    found = [
        _attend((query, key, value), visible, dropout)
        for (query, key, value), visible, (dropout, _) in zip(parts, seen, asking.dropouts, strict=True)
    ]
    together = found[0] if len(found) == 1 else torch.cat(found)
    return together.transpose(1, 2).reshape(count, clips, steps, width)


def _attend(parts: tuple[Tensor, Tensor, Tensor], visible: Tensor | None, dropout: BitDropout) -> Tensor:
    queries, keys, _ = parts
    rate = dropout.p if dropout.training else 0.0
    if rate == 0 or queries.device.type != "cpu":
        return scaled_dot_product_attention(*parts, attn_mask=visible, dropout_p=rate)
    # On a CPU nothing is fused with dropout: clips at a time whose logits stay in its cache.
    clips = max(1, CACHED_LOGITS // (queries.shape[1] * queries.shape[2] * keys.shape[2]))
    seen = itertools.repeat(None) if visible is None else visible.split(clips)
    found = []
    for query, key, value, mask in zip(*(part.split(clips) for part in parts), seen, strict=False):
        logits = (query / query.shape[3] ** 0.5) @ key.transpose(2, 3)
        shares = (logits if mask is None else logits + mask).softmax(3)
        found.append(dropout(shares) @ value)
    return found[0] if len(found) == 1 else torch.cat(found)
