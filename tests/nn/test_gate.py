"""The gate against its formula."""

import numpy as np
import torch

from harness.nn.clip.gate import Gate


def test_what_is_added_is_scaled_by_a_sigmoid_of_both():
    torch.manual_seed(0)
    gate, base, added = Gate(4), torch.randn(3, 4), torch.randn(3, 4)
    weight, bias = (value.detach().numpy() for value in gate.openness.parameters())
    score = np.concatenate((base, added), axis=1) @ weight.T + bias
    expected = base.numpy() + added.numpy() / (1 + np.exp(-score))
    np.testing.assert_allclose(gate(base, added).detach().numpy(), expected, atol=1e-6)


def test_a_shut_gate_adds_nothing():
    gate, base = Gate(4), torch.randn(3, 4)
    torch.nn.init.constant_(gate.openness.bias, -1e9)
    assert gate(base, torch.randn(3, 4)).equal(base)
