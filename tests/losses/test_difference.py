"""Orthogonality of codes against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA
from scipy.linalg import hadamard

from harness.losses.difference import Difference, DifferenceConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
MODALITIES = ("text", "vision", "audio")
NAMES = [f"{name}_{kind}" for name in MODALITIES for kind in ("shared", "private")]
CODES = {name: DRAW.random((20, 5)) for name in NAMES}


def loss(codes, **config):
    parts = {name: torch.as_tensor(values) for name, values in codes.items()}
    outputs = Outputs(torch.zeros(len(parts[NAMES[0]])), parts=parts)
    return Difference(DifferenceConfig(**config), DATA.info)(outputs, DATA.train, None)


def directions(values):
    spread = values - values.mean(0)
    return spread / np.linalg.norm(spread, axis=1, keepdims=True)


def frobenius(one, other):
    return np.linalg.norm(directions(one).T @ directions(other)) ** 2


def expected(codes):
    own = sum(frobenius(codes[f"{name}_shared"], codes[f"{name}_private"]) for name in MODALITIES)
    pairs = (("text", "vision"), ("text", "audio"), ("vision", "audio"))
    return own + sum(frobenius(codes[f"{a}_private"], codes[f"{b}_private"]) for a, b in pairs)


def test_it_is_the_sum_over_modalities_and_over_pairs_of_them():
    assert loss(CODES).item() == pytest.approx(expected(CODES))


def test_the_peer_takes_the_mean_over_pairs_of_features():
    assert loss(CODES, entries="peer").item() == pytest.approx(expected(CODES) / 5**2)


def test_lengths_that_are_constants_change_the_gradient_and_not_the_value():
    found = {}
    for norms in ("paper", "peer"):
        codes = {name: torch.as_tensor(values).requires_grad_() for name, values in CODES.items()}
        value = loss(codes, norms=norms)
        value.backward()
        found[norms] = value.item(), codes["text_private"].grad
    assert found["paper"][0] == pytest.approx(found["peer"][0], rel=1e-5)
    assert not torch.allclose(found["paper"][1], found["peer"][1], rtol=1e-2)


def test_codes_that_do_not_vary_together_over_the_clips_cost_nothing():
    signs = hadamard(8)[:, 1:]
    # Shared codes may be alike: only private ones have to differ from them, and from each other.
    column = {"text_private": 1, "vision_private": 2, "audio_private": 3}
    codes = {name: np.outer(signs[:, column.get(name, 0)], np.ones(5)) for name in NAMES}
    assert loss(codes).item() == pytest.approx(0)


def test_what_all_clips_have_in_common_and_how_strong_a_code_is_do_not_count():
    moved = {name: 7 * values + 3 for name, values in CODES.items()}
    assert loss(moved).item() == pytest.approx(loss(CODES).item())


@pytest.mark.parametrize("norms", ["paper", "peer"])
def test_codes_without_any_spread_cost_nothing_and_do_not_pull(norms):
    codes = {name: torch.full((20, 5), 0.1, requires_grad=True) for name in NAMES}
    value = loss(codes, norms=norms)
    value.backward()
    assert value.item() == 0
    assert not any(code.grad.any() for code in codes.values())
