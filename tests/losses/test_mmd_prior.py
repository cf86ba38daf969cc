"""The discrepancy from a Gaussian prior against draws of it, and against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA, clips

from harness.losses.mmd_prior import CODES, MMDPrior, MMDPriorConfig
from harness.types import Outputs

WIDTHS = dict(zip(CODES, (2, 3, 1, 4), strict=True))


def discrepancy(codes, /, **params):
    parts = {name: torch.as_tensor(code) for name, code in codes.items()}
    loss = MMDPrior(MMDPriorConfig(**params), DATA.info)
    count = len(next(iter(codes.values())))
    return loss(Outputs(torch.zeros(count), parts=parts), clips(2), None)


def drawn(count, scale=1.0, shift=0.0, widths=WIDTHS):
    draw = np.random.default_rng(0)
    return {name: shift + scale * draw.normal(size=(count, width)) for name, width in widths.items()}


def kernel(x, y, spread):
    return np.exp(-((x[:, None] - y[None]) ** 2).sum(2) / spread)


def by_numpy(codes, prior, bandwidth=1.0):
    spread = bandwidth * codes.shape[1] ** 2
    among = kernel(prior, prior, spread).mean() + kernel(codes, codes, spread).mean()
    return among - 2 * kernel(prior, codes, spread).mean()


def by_integrals(codes, bandwidth):
    """Over the prior's density on a grid, dimension by dimension: a Gaussian kernel is a product."""
    spread = bandwidth * codes.shape[1] ** 2
    grid = np.linspace(-9, 9, 901)[:, None]
    density = np.exp(-(grid[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi) * (grid[1] - grid[0])
    of_prior = (density @ kernel(grid, grid, spread) @ density) ** codes.shape[1]
    crossed = [density @ kernel(grid, column[:, None], spread) for column in codes.T]
    return of_prior + kernel(codes, codes, spread).mean() - 2 * np.prod(crossed, axis=0).mean()


@pytest.mark.parametrize("bandwidth", [0.05, 1.0])
def test_it_is_the_integral_over_the_density_of_the_prior(bandwidth):
    codes = drawn(7, scale=1.5, shift=0.5)
    joined = np.hstack([codes[name] for name in CODES])
    found = discrepancy(codes, bandwidth=bandwidth).item()
    assert found == pytest.approx(by_integrals(joined, bandwidth))
    each = discrepancy(codes, bandwidth=bandwidth, codes="peer").item()
    assert each == pytest.approx(sum(by_integrals(code, bandwidth) for code in codes.values()))


def test_it_is_what_the_mean_over_many_draws_converges_to():
    codes = drawn(6, shift=0.5)
    torch.manual_seed(0)
    found = np.mean([discrepancy(codes, prior="peer").item() for _ in range(300)])
    # Pairs of a draw with itself add their distance from a kernel's mean over pairs.
    kept = 1 - (100 / 104) ** 5
    assert found - kept / 6 == pytest.approx(discrepancy(codes).item(), rel=0.1)


def test_the_peers_is_that_of_as_many_draws_as_clips():
    codes = drawn(6)
    torch.manual_seed(3)
    found = discrepancy(codes, prior="peer", codes="peer").item()
    torch.manual_seed(3)
    expected = sum(
        by_numpy(code, torch.randn_like(torch.tensor(code)).numpy()) for code in codes.values()
    )
    assert found == pytest.approx(expected)


def test_it_says_the_same_twice_and_the_peers_does_not():
    codes = drawn(6)
    assert discrepancy(codes).equal(discrepancy(codes))
    assert not discrepancy(codes, prior="peer").equal(discrepancy(codes, prior="peer"))


def test_codes_of_the_prior_are_near_it_and_others_are_not():
    near = discrepancy(drawn(400)).item()
    assert 0 < near < 0.002
    assert discrepancy(drawn(400, shift=1.0)) > 10 * near
    assert discrepancy(drawn(400, scale=2.0)) > 10 * near
    assert discrepancy(drawn(400, scale=0.0)) > 10 * near


def test_only_codes_taken_together_show_that_they_depend_on_each_other():
    apart = drawn(500, widths=dict.fromkeys(CODES, 3))
    same = dict.fromkeys(CODES, apart["text_code"])
    together = [discrepancy(codes, bandwidth=0.1).item() for codes in (same, apart)]
    alone = [discrepancy(codes, bandwidth=0.1, codes="peer").item() for codes in (same, apart)]
    assert together[0] > 5 * together[1]
    assert alone[0] < 2 * alone[1]


def test_its_gradient_pulls_codes_that_are_too_far_out_towards_the_prior():
    codes = {name: torch.tensor(code).requires_grad_() for name, code in drawn(50, shift=2.0).items()}
    discrepancy(codes).backward()
    assert all((code.grad.mean(0) > 0).all() for code in codes.values())


def test_single_precision_is_enough_for_wide_codes():
    wide = drawn(32, widths=dict.fromkeys(CODES, 200))
    exact = discrepancy(wide).item()
    found = discrepancy({name: torch.tensor(code).float() for name, code in wide.items()}).item()
    assert found == pytest.approx(exact, rel=1e-3)
