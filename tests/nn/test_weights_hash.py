"""A name for weights."""

from hashlib import sha256

import pytest
import torch
from torch import nn

from harness.nn.text.weights_hash import weights_sha256


def layer():
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def test_equal_weights_have_one_hash_and_another_last_bit_has_another():
    changed = layer()
    with torch.no_grad():
        changed.weight[0, 0] = torch.nextafter(changed.weight[0, 0], torch.tensor(9.0))
    assert weights_sha256(layer()) == weights_sha256(layer())
    assert weights_sha256(layer()) != weights_sha256(changed)


def test_it_is_the_sha256_of_names_and_bits():
    model = layer()
    expected = sha256(b"bias torch.float32 (2,)\n" + model.bias.detach().numpy().tobytes())
    expected.update(b"weight torch.float32 (2, 3)\n" + model.weight.detach().numpy().tobytes())
    assert weights_sha256(model) == expected.hexdigest()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_another_type_has_another_hash(dtype):
    assert weights_sha256(layer().to(dtype)) != weights_sha256(layer())


def test_a_single_number_counts():
    model = layer()
    model.register_buffer("scale", torch.tensor(2.0))
    assert weights_sha256(model) != weights_sha256(layer())
