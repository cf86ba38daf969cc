"""Transformers in which the steps of one modality ask those of another, several at a time.

Letters: B clips, T steps of who asks, S steps of who is asked, D features, n of N transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import torch
from torch import Tensor, nn

from harness.nn.crossmodal_block import (
    Asking,
    Block,
    Norms,
    Positions,
    TransformerOptions,
    normalised,
)
from harness.nn.dropout import BitDropout
from harness.types import Padded


class CrossModalTransformers(nn.Module):
    """N transformers side by side, of which number i lets sequence ``pairs[i][0]`` ask ``pairs[i][1]``.

    Tsai et al. 2019, arXiv 1906.00295, equation 4: equal sizes, weights of their own. In each block a
    step asks the other sequence as it came in; where each sequence asks itself, it asks its present
    states. A layer norm follows the last block. Those whose shapes agree run as one, which is why
    weights are stacked. Every clip must have at least one step.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[int, int]],
        options: TransformerOptions,
        attention_dropouts: Sequence[float],
    ) -> None:
        super().__init__()
        self.pairs, self.options = tuple(pairs), options
        self.embedding_dropout = BitDropout(options.embedding_dropout)
        self.attention_dropouts = nn.ModuleList([BitDropout(rate) for rate in attention_dropouts])
        self.asks_itself = all(asking == asked for asking, asked in pairs)
        self.blocks = nn.ModuleList([Block(len(self.pairs), options) for _ in range(options.layers)])
        self.norm = Norms(len(self.pairs), options.width)

    def forward(self, sequences: Sequence[Padded]) -> list[Padded]:
        """N sequences (B, T, D) from those that `pairs` count, each (B, T or S, D)."""
        masks = [sequences[asking].mask for asking, _ in self.pairs]
        return [
            Padded(states.masked_fill(~mask.unsqueeze(2), 0), mask)
            for states, mask in zip(self._states(sequences, only_last=False), masks, strict=True)
        ]

    def last(self, sequences: Sequence[Padded]) -> list[Tensor]:
        """N vectors (B, D): the last existing steps of what `forward` gives, where each asks itself.

        The last block leaves out what nobody reads.
        """
        return [states.squeeze(1) for states in self._states(sequences, only_last=True)]

    def _states(self, sequences: Sequence[Padded], *, only_last: bool) -> list[Tensor]:
        steps = [sequence.mask.shape[1] for sequence in sequences]
        embedded = [self._embedded(sequence) for sequence in sequences]
        alike: dict[tuple[int, int], list[int]] = {}
        for row, (asking, asked) in enumerate(self.pairs):
            alike.setdefault((steps[asking], steps[asked]), []).append(row)
        found: dict[int, Tensor] = {}
        for rows in alike.values():
            found |= zip(rows, self._run(rows, sequences, embedded, only_last=only_last), strict=True)
        return [found[row] for row in range(len(self.pairs))]

    def _embedded(self, sequence: Padded) -> Tensor:
        options, values = self.options, sequence.values
        steps = values * options.width**0.5 if options.is_scaled else values
        if options.positions == "none":
            return steps
        places = sinusoids(values.shape[1], options.width, options.positions).to(values)
        if options.positions == "halves":
            return steps + places * (values[..., :1] != 0)
        return steps + places

    def _run(
        self,
        rows: list[int],
        sequences: Sequence[Padded],
        embedded: Sequence[Tensor],
        *,
        only_last: bool,
    ) -> Tensor:
        """(n, B, T, D) of n transformers of the same shapes; T = 1 with `only_last`."""
        chosen = None if len(rows) == len(self.pairs) else rows
        visible = self._visible(rows, sequences, is_causal=self.options.is_causal)
        asking = Asking(chosen, visible, self._dropouts(rows))
        steps = self.embedding_dropout(torch.stack([embedded[self.pairs[row][0]] for row in rows]))
        others = None
        if not self.asks_itself:
            others = self.embedding_dropout(torch.stack([embedded[self.pairs[row][1]] for row in rows]))
            others = normalised(others)
        for block in self.blocks[:-1] if only_last else self.blocks:
            steps = block(steps, others, asking)
        if only_last:
            last = _last(steps, torch.stack([sequences[self.pairs[row][0]].lengths for row in rows]))
            asking = replace(asking, visible=self._visible(rows, sequences, is_causal=False))
            steps = self.blocks[-1](last, normalised(steps), asking)
        return self.norm(normalised(steps), chosen)

    def _dropouts(self, rows: list[int]) -> list[tuple[BitDropout, int]]:
        if not self.training:
            return [(self.attention_dropouts[0], len(rows))]
        runs = groupby((self.attention_dropouts[row] for row in rows), key=lambda dropout: dropout.p)
        return [(same[0], len(same)) for same in (list(run) for _, run in runs)]

    def _visible(
        self, rows: list[int], sequences: Sequence[Padded], *, is_causal: bool
    ) -> Tensor | None:
        """What is added to logits (n B, 1, T or 1, S); None where all is seen."""
        asked = torch.stack([sequences[self.pairs[row][1]].mask for row in rows])
        if asked.shape[2] == 1 or (asked.all() and not is_causal):
            return None
        visible = asked.unsqueeze(2)
        if is_causal:
            asking = torch.stack([sequences[self.pairs[row][0]].mask for row in rows])
            ahead = (asking.sum(2) - asked.sum(2)).abs()[..., None, None]
            step, other = (torch.arange(m.shape[2], device=m.device) for m in (asking, asked))
            visible = visible & (other <= step.unsqueeze(1) + ahead)
        added = torch.zeros(visible.shape, dtype=sequences[0].values.dtype, device=asked.device)
        return added.masked_fill(~visible, -torch.inf).flatten(0, 1).unsqueeze(1)


def _last(steps: Tensor, lengths: Tensor) -> Tensor:
    """(n, B, 1, D) the last existing of steps (n, B, T, D), of lengths (n, B)."""
    index = (lengths - 1)[..., None, None].expand(-1, -1, 1, steps.shape[3])
    return steps.gather(2, index)


def sinusoids(steps: int, width: int, form: Positions) -> Tensor:
    """(T, D) positions 1 to T as sines and cosines.

    ``interleaved`` has sin(t / 10000^(2j / D)) at 2j and the cosine beside it (arXiv 1906.00295,
    appendix A); ``halves`` all sines before all cosines, of rates from 1 to 1 / 10000.
    """
    place = torch.arange(1, steps + 1, dtype=torch.float32).unsqueeze(1)
    if form == "interleaved":
        angles = place / 10000 ** (torch.arange(0, width, 2) / width)
        return torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)[:, :width]
    half = width // 2
    angles = place * 10000 ** (-torch.arange(half) / max(half - 1, 1))
    found = torch.cat((angles.sin(), angles.cos()), dim=1)
    return torch.cat((found, found.new_zeros(steps, width - 2 * half)), dim=1)
