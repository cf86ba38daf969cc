"""The smooth L1 of missing steps, in NumPy; the peer's moments too."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.generation import Generation, GenerationConfig
from harness.types import Outputs

VIEWS = {"text": 5.0, "audio": 2.0, "vision": 20.0}


def loss(parts, **params):
    found = Outputs(
        torch.zeros(4), parts={name: torch.as_tensor(value) for name, value in parts.items()}
    )
    return Generation(GenerationConfig(**params), DATA.info)(found, DATA.train, None)


def sequences(seed=0, share=0.4):
    """Generated and intact states of each view, and which steps (B, T) are missing."""
    draw = np.random.default_rng(seed)
    parts, missing = {}, {}
    for view, (steps, width) in {"text": (5, 4), "audio": (7, 3), "vision": (2, 6)}.items():
        intact, made = draw.normal(size=(2, 4, steps, width)) * 2
        missing[view] = draw.random((4, steps)) < share
        parts[f"{view}_intact_states"] = intact
        parts[f"{view}_generated_states"] = np.where(missing[view][..., None], made, intact)
    return parts, missing


def smooth_l1(distance):
    size = np.abs(distance)
    return np.where(size < 1, size**2 / 2, size - 0.5)


def moments(values):
    """Mean, variance and third central moment of rows, as the definition has them."""
    mean = values.mean(0)
    return [mean, *[((values - mean) ** order).mean(0) for order in (2, 3)]]


def test_it_is_the_mean_over_missing_numbers_summed_over_modalities():
    parts, missing = sequences()
    expected = sum(
        weight
        * smooth_l1(
            parts[f"{view}_generated_states"][missing[view]]
            - parts[f"{view}_intact_states"][missing[view]]
        ).mean()
        for view, weight in VIEWS.items()
    )
    assert float(loss(parts)) == pytest.approx(expected)


def test_each_modality_has_its_weight():
    parts, _ = sequences()
    alone = {
        view: float(loss(parts, **{f"{other}_weight": float(other == view) for other in VIEWS}))
        for view in VIEWS
    }
    assert float(loss(parts)) == pytest.approx(sum(VIEWS[view] * alone[view] for view in VIEWS))


def test_the_peer_compares_moments_of_sequences_that_are_zero_elsewhere():
    parts, missing = sequences()
    expected = 0.0
    for view, weight in VIEWS.items():
        made, intact = (
            np.where(missing[view][..., None], parts[f"{view}_{what}_states"], 0)
            for what in ("generated", "intact")
        )
        pairs = zip(
            moments(made.reshape(-1, made.shape[2])),
            moments(intact.reshape(-1, made.shape[2])),
            strict=True,
        )
        distance = sum(np.linalg.norm(left - right) for left, right in pairs)
        expected += weight * 5 * distance / (missing[view].sum() * made.shape[2])
    found = loss(parts, similarity="peer") - loss(parts)
    assert float(found) == pytest.approx(expected)


@pytest.mark.parametrize("similarity", ["paper", "peer"])
def test_where_nothing_is_missing_it_costs_nothing_and_does_not_pull(similarity):
    parts, _ = sequences(share=0)
    parts = {name: torch.tensor(value, requires_grad=True) for name, value in parts.items()}
    found = loss(parts, similarity=similarity)
    found.backward()
    assert found.item() == 0
    assert not any(value.grad.any() for value in parts.values())


def test_steps_that_were_not_missing_are_not_pulled():
    parts, missing = sequences()
    parts = {name: torch.tensor(value, requires_grad=True) for name, value in parts.items()}
    loss(parts).backward()
    for view in VIEWS:
        pulled = parts[f"{view}_generated_states"].grad.any(2).numpy()
        np.testing.assert_array_equal(pulled, missing[view])
