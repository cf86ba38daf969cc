"""Dropout by bits against what dropout is."""

import pytest
import torch

from harness.nn.dropout import BitDropout


def ones(count=200_000):
    return torch.ones(count, requires_grad=True)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_it_drops_its_share_and_scales_the_others_to_the_same_mean(share):
    torch.manual_seed(0)
    found = BitDropout(share)(ones())
    dropped = (found == 0).float().mean().item()
    assert dropped == pytest.approx(share, abs=0.005)
    assert found.max().item() == pytest.approx(1 / (1 - share), rel=1e-3)
    assert found.mean().item() == pytest.approx(1, abs=0.02)


def test_the_gradient_is_that_of_what_was_kept():
    torch.manual_seed(0)
    given = ones()
    found = BitDropout(0.3)(given)
    found.sum().backward()
    assert given.grad.equal(found.detach())


def test_numbers_are_dropped_independently_of_their_neighbours():
    torch.manual_seed(0)
    kept = (BitDropout(0.5)(ones()).detach() > 0).float()
    for lag in (1, 2, 3, 4):
        assert torch.corrcoef(torch.stack((kept[lag:], kept[:-lag])))[0, 1].abs() < 0.01


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (2, 3, 7), (0, 4)])
def test_the_shape_is_the_same_whatever_it_is(shape):
    assert BitDropout(0.5)(torch.ones(shape)).shape == shape


def test_in_evaluation_and_without_a_share_the_input_is_given_back():
    given = ones(9)
    assert BitDropout(0.5).eval()(given) is given
    assert BitDropout(0)(given) is given


def test_the_seed_decides_what_is_dropped():
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(BitDropout(0.5)(ones(99)))
    assert found[0].equal(found[1])
    assert not found[0].equal(found[2])
