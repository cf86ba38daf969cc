"""Whether a model does what a student's encoder must do: found out by one tiny forward pass each.

Names of architectures say little: the same library has encoders, decoders, and models of pages and
proteins under one roof. What decides is how the states come out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.spec import BadInput

TOKENS = 8

TOLERANCE = 1e-4
"""Share of the states' size: round-off stays below 1e-5 of it, one changed token above 1e-3."""


def check_states(encoder: nn.Module, width: int, vocabulary: int, pad: int, what: str) -> None:
    """Whether each token's state reads all tokens and no padding; `what` begins the message.

    Raises:
        BadInput: without a key, what the model cannot do.
    """
    ids = _ids(vocabulary, pad)
    other = ids.clone()
    other[0, -1] = ids[0, 0]
    states = _states(encoder, ids, torch.ones_like(ids), what)
    if states.shape != (1, TOKENS, width):
        raise BadInput(
            f"{what} gives states of shape {tuple(states.shape)}, expected (1, {TOKENS}, {width})"
        )
    changed = _states(encoder, other, torch.ones_like(ids), what)
    if _equal(states[:, :-1], changed[:, :-1]):
        raise BadInput(f"{what} is no encoder: the state of a token does not see the tokens after it")
    longer = torch.cat((ids, torch.full((1, 3), pad)), 1)
    mask = (torch.arange(longer.shape[1]) < TOKENS).long().unsqueeze(0)
    if not _equal(states, _states(encoder, longer, mask, what)[:, :TOKENS]):
        raise BadInput(f"{what} lets padding change the states, so a score would depend on its batch")


def check_length(encoder: nn.Module, tokens: int, vocabulary: int, pad: int, what: str) -> None:
    """Whether the model has positions for a transcript of so many tokens.

    Raises:
        BadInput: under max_tokens; it has not.
    """
    ids = _ids(vocabulary, pad).repeat(1, -(-tokens // TOKENS))[:, :tokens]
    try:
        _states(encoder, ids, torch.ones_like(ids), what)
    except BadInput as fault:
        raise BadInput(f"{what} cannot read {tokens} tokens at once", key="max_tokens") from fault


def _ids(vocabulary: int, pad: int) -> Tensor:
    # From the upper end, because special tokens are the first ones.
    usable = [token for token in reversed(range(vocabulary)) if token != pad][:TOKENS]
    return torch.tensor([(usable * TOKENS)[:TOKENS]])


def _states(encoder: nn.Module, ids: Tensor, mask: Tensor, what: str) -> Tensor:
    try:
        with torch.inference_mode():
            found: Any = encoder(input_ids=ids, attention_mask=mask)
            return found.last_hidden_state
    except Exception as error:  # the models are a library's, and made for all sorts of inputs
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadInput(f"{what} gives no states of words: {reason}") from error


def _equal(states: Tensor, others: Tensor) -> bool:
    size = states.square().mean().sqrt()
    return bool((states - others).abs().max() < TOLERANCE * size)
