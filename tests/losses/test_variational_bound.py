"""The bound against torch's own distributions."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from harness.losses.variational_bound import (
    MODALITIES,
    WHAT,
    VariationalBound,
    VariationalBoundConfig,
)
from harness.nn.retrieval.gaussian import divergence, drawn
from harness.types import Batch, Outputs


def parts(count=6, seed=0):
    """Audio features of 4 dimensions, vision features of 7, latent vectors of 3."""
    draw = torch.Generator().manual_seed(seed)
    widths = {"audio": 4, "vision": 7}
    return {
        f"{name}_{what}": torch.randn(
            count,
            3 if what in {"mean", "log_variance"} else widths[name],
            generator=draw,
            dtype=torch.float64,
        )
        for name in MODALITIES
        for what in WHAT
    }


def bound(given, **options):
    names = tuple(str(n) for n in range(len(given["audio_mean"])))
    batch = Batch(names, names, torch.zeros(len(names), dtype=torch.int64))
    outputs = Outputs(audio_embedding=given["audio_mean"], parts=given)
    return VariationalBound(VariationalBoundConfig(**options), None)(outputs, batch, None).item()


def spent(given, name):
    """Nats of each clip."""
    latent = Normal(given[f"{name}_mean"], (given[f"{name}_log_variance"] / 2).exp())
    return kl_divergence(latent, Normal(0.0, 1.0)).sum(1)


def test_it_is_squares_and_the_divergence_that_torch_knows():
    given = parts()
    expected = 0.0
    for name in MODALITIES:
        own, other = (
            (given[f"{name}_features"] - given[f"{name}_{what}"]).square().mean()
            for what in ("reconstruction", "translation")
        )
        expected += own + 0.3 * other + 0.2 * spent(given, name).mean()
    assert bound(given, translation=0.3, divergence=0.2) == pytest.approx(expected.item())


def test_with_two_over_the_width_it_is_the_evidence_bound_of_a_unit_variance_decoder():
    given = parts()
    quiet = dict(given)
    for name in ("features", "reconstruction"):
        quiet[f"vision_{name}"] = torch.zeros(6, 7, dtype=torch.float64)
    for name in ("mean", "log_variance"):
        quiet[f"vision_{name}"] = torch.zeros(6, 3, dtype=torch.float64)
    known = Normal(given["audio_reconstruction"], 1.0).log_prob(given["audio_features"]).sum(1)
    evidence = (known - spent(given, "audio")).mean()
    constant = 4 / 2 * math.log(2 * math.pi)
    assert bound(quiet, divergence=2 / 4) * 4 / 2 == pytest.approx((-evidence - constant).item())


def test_a_standard_normal_that_rebuilds_everything_costs_nothing():
    given = parts()
    for name in MODALITIES:
        given[f"{name}_reconstruction"] = given[f"{name}_features"]
        given[f"{name}_mean"] = given[f"{name}_log_variance"] = torch.zeros(6, 3)
    assert bound(given) == 0


def test_draws_have_the_mean_and_the_variance_that_they_are_drawn_with():
    torch.manual_seed(0)
    mean, log_variance = torch.tensor([[3.0, -1.0]]), torch.tensor([[0.0, 2.0]])
    draws = drawn(mean.expand(20000, 2), log_variance.expand(20000, 2))
    assert_close(draws.mean(0), mean[0], atol=0.06, rtol=0)
    assert_close(draws.var(0).log(), log_variance[0], atol=0.05, rtol=0)


def test_a_variance_beyond_all_bounds_is_a_finite_one():
    absurd = torch.tensor([[1e30, -1e30]])
    assert divergence(torch.zeros(1, 2), absurd).isfinite().all()
    assert drawn(torch.zeros(1, 2), absurd).isfinite().all()
