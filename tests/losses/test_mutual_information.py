"""The likelihood term of the bound, against SciPy's normal distribution."""

import numpy as np
import pytest
import torch
from loss_samples import DATA
from scipy.stats import norm

from harness.losses.mutual_information import MutualInformation, MutualInformationConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
SIZES = {"vision": (6, 4), "audio": (6, 3)}
KINDS = ("vector", "mean", "log_variance")
PARTS = {f"{name}_{kind}": DRAW.normal(size=size) for name, size in SIZES.items() for kind in KINDS}


def value(parts=PARTS, **config):
    loss = MutualInformation(MutualInformationConfig(**config), DATA.info)
    tensors = {name: torch.as_tensor(part) for name, part in parts.items()}
    return loss(Outputs(torch.zeros(6), parts=tensors), DATA.train, None).item()


def test_it_is_minus_the_log_likelihood_of_vision_and_audio():
    expected = 0.0
    for name in SIZES:
        vector, mean, log_variance = (PARTS[f"{name}_{kind}"] for kind in KINDS)
        expected -= norm(mean, np.exp(log_variance / 2)).logpdf(vector).sum(1).mean()
    assert value() == pytest.approx(expected)


def test_the_peer_leaves_out_what_makes_it_a_density():
    expected = 0.0
    for name in SIZES:
        vector, mean, log_variance = (PARTS[f"{name}_{kind}"] for kind in KINDS)
        expected += ((vector - mean) ** 2 / 2 / np.exp(log_variance)).sum(1).mean()
    assert value(density="peer") == pytest.approx(expected)


def with_variance(log_variance):
    return {
        name: np.full_like(part, log_variance) if name.endswith("log_variance") else part
        for name, part in PARTS.items()
    }


def test_a_wide_gaussian_is_no_way_out_but_for_the_peer():
    assert value(with_variance(9.0)) > value(with_variance(0.0))
    assert value(with_variance(9.0), density="peer") < 0.01


def test_the_right_mean_is_the_most_likely():
    right = {name: PARTS[name.replace("mean", "vector")] for name in PARTS if name.endswith("mean")}
    assert value({**PARTS, **right}) < value()


@pytest.mark.parametrize("log_variance", [1e4, -1e4])
def test_a_variance_that_is_no_number_is_held_back(log_variance):
    assert np.isfinite(value(with_variance(log_variance)))
    assert value(with_variance(log_variance)) == value(with_variance(10 * np.sign(log_variance)))
