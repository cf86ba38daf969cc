"""A linear map that waits for its widths."""

import numpy as np
import pytest
import torch

from harness.nn.compare.projection import Projection


def test_it_is_a_matrix_and_a_shift():
    projection, vectors = Projection(), torch.randn(3, 4)
    projection.between(4, 2)
    weight, bias = (values.detach().numpy() for values in projection.parameters())
    found = projection(vectors).detach().numpy()
    np.testing.assert_allclose(found, vectors.numpy() @ weight.T + bias, rtol=1e-5, atol=1e-6)


def test_it_refuses_to_answer_before_its_widths_are_told():
    with pytest.raises(ValueError, match="before it was adapted"):
        Projection()(torch.ones(2, 4))


def test_its_parameters_come_with_its_widths_and_are_saved():
    projection = Projection()
    assert list(projection.parameters()) == []
    projection.between(4, 2)
    assert list(projection.state_dict()) == ["linear.weight", "linear.bias"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_it_takes_vectors_of_any_precision_and_answers_in_single_at_least(dtype):
    projection = Projection()
    projection.between(4, 2)
    assert projection(torch.ones(3, 4, dtype=dtype)).dtype == torch.float32
    assert projection.bfloat16()(torch.ones(3, 4, dtype=dtype)).dtype == torch.float32
