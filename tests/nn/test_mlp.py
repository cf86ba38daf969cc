"""The shape of a feed-forward block."""

import numpy as np
import torch
from scipy.special import erf
from torch import nn

from harness.nn.mlp import mlp


def test_its_linear_layers_go_from_width_to_width():
    layers = [layer for layer in mlp((5, 4, 3, 1)) if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(5, 4), (4, 3), (3, 1)]


def test_two_widths_are_one_linear_layer():
    assert [type(layer) for layer in mlp((5, 1), dropout=0.5)] == [nn.Linear]


def test_dropout_stands_between_layers_only():
    assert [layer.p for layer in mlp((5, 4, 3, 1), dropout=0.5) if isinstance(layer, nn.Dropout)] == [
        0.5,
        0.5,
    ]


def test_a_hidden_layer_is_a_gelu_and_the_last_is_linear():
    block, inputs = mlp((5, 4, 2)).double(), np.random.default_rng(0).normal(size=(3, 5))
    first, last = (layer for layer in block if isinstance(layer, nn.Linear))
    weights = [value.detach().numpy() for layer in (first, last) for value in (layer.weight, layer.bias)]
    hidden = inputs @ weights[0].T + weights[1]
    hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
    found = block(torch.tensor(inputs)).detach().numpy()
    np.testing.assert_allclose(found, hidden @ weights[2].T + weights[3])
