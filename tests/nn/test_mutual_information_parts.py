"""Networks that bounds of mutual information are estimated with."""

import numpy as np
import torch

from harness.nn.mutual_information import ConditionalGaussian, FixedProjection


def weights(layer):
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def test_mean_and_log_variance_are_two_networks_of_one_hidden_layer():
    gaussian, given = ConditionalGaussian(5, 3), torch.randn(4, 5)
    for found, network in zip(gaussian(given), (gaussian.mean, gaussian.log_variance), strict=True):
        (first, bias), (second, offset) = weights(network[0]), weights(network[2])
        expected = np.maximum(given.numpy() @ first.T + bias, 0) @ second.T + offset
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_the_fixed_projection_hands_the_gradient_on_and_takes_none():
    projection, given = FixedProjection(8, 2), torch.randn(4, 8, requires_grad=True)
    projection(given).sum().backward()
    assert given.grad.any()
    assert [weight.grad for weight in projection.parameters()] == [None, None]
    assert projection(given).abs().max() < 1
