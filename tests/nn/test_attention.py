"""Attention over existing steps, against NumPy and PyTorch's own module."""

import numpy as np
import pytest
import torch
from torch.nn import MultiheadAttention
from torch.testing import assert_close

from harness.nn.attention import CrossAttention, SelfAttention, heads_of

MASK = torch.tensor([[True, True, True, True], [True, False, False, False], [True, True, False, False]])


def steps(width, count=4):
    return torch.randn(3, count, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("width", "heads"), [(16, 1), (64, 1), (128, 2), (200, 2), (768, 12), (7, 1)])
def test_a_head_is_64_wide_and_their_number_divides_the_width(width, heads):
    assert heads_of(width) == heads


def test_self_attention_is_pytorchs_multi_head_attention():
    torch.manual_seed(0)
    ours, theirs = SelfAttention(128), MultiheadAttention(128, 2, batch_first=True)
    theirs.in_proj_weight, theirs.in_proj_bias = ours.inner.weight, ours.inner.bias
    theirs.out_proj = ours.outer
    x = steps(128)
    expected = theirs(x, x, x, key_padding_mask=~MASK)[0]
    assert_close(ours(x, MASK)[MASK], expected[MASK])


def test_cross_attention_is_a_softmax_over_existing_steps():
    torch.manual_seed(0)
    layer, x, asked = CrossAttention(8), steps(8), torch.randn(3, 2, 8)
    found = layer(asked, x, MASK).detach().numpy()
    weights = {name: value.detach().numpy() for name, value in layer.named_parameters()}
    for row in range(3):
        seen = x[row][MASK[row]].numpy()
        scores = (asked[row].numpy() @ weights["query.weight"].T) @ (seen @ weights["key.weight"].T).T
        shares = np.exp(scores / np.sqrt(8))
        shares /= shares.sum(1, keepdims=True)
        mixed = shares @ (seen @ weights["value.weight"].T)
        expected = mixed @ weights["outer.weight"].T + weights["outer.bias"]
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


def test_missing_steps_are_not_heard():
    torch.manual_seed(0)
    layer, x = SelfAttention(8), steps(8)
    other = torch.where(MASK.unsqueeze(2), x, 9.0)
    assert_close(layer(other, MASK)[MASK], layer(x, MASK)[MASK])


def test_a_clip_without_steps_has_finite_values_and_gradients():
    torch.manual_seed(0)
    layer, x = SelfAttention(8), torch.zeros(1, 4, 8, requires_grad=True)
    layer(x, torch.zeros(1, 4, dtype=torch.bool)).sum().backward()
    assert all(value.grad.isfinite().all() for value in (x, *layer.parameters()))
