"""The error of rebuilt features against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA

from harness.losses.code_reconstruction import CodeReconstruction, CodeReconstructionConfig
from harness.types import Outputs

DRAW = np.random.default_rng(0)
MODALITIES = ("text", "vision", "audio")
PROJECTED = {name: DRAW.normal(size=(20, 5)) for name in MODALITIES}
REBUILT = {name: DRAW.normal(size=(20, 5)) for name in MODALITIES}


def loss(projected, rebuilt):
    parts = {f"{name}_projected": torch.as_tensor(values) for name, values in projected.items()}
    parts |= {f"{name}_rebuilt": torch.as_tensor(values) for name, values in rebuilt.items()}
    found = CodeReconstruction(CodeReconstructionConfig(), DATA.info)
    return found(Outputs(torch.zeros(20), parts=parts), DATA.train, None)


def test_it_is_a_third_of_the_squared_lengths_by_the_width_of_each_modality():
    errors = [
        np.mean([np.linalg.norm(a - b) ** 2 / 5 for a, b in zip(PROJECTED[m], REBUILT[m], strict=True)])
        for m in MODALITIES
    ]
    assert loss(PROJECTED, REBUILT).item() == pytest.approx(sum(errors) / 3)


def test_features_that_are_rebuilt_exactly_cost_nothing():
    assert loss(PROJECTED, PROJECTED).item() == 0


def test_what_is_projected_moves_towards_what_is_rebuilt_as_well():
    projected = {name: torch.as_tensor(values).requires_grad_() for name, values in PROJECTED.items()}
    loss(projected, REBUILT).backward()
    for name, values in projected.items():
        slope = 2 * (PROJECTED[name] - REBUILT[name]) / (3 * 20 * 5)
        assert values.grad.numpy() == pytest.approx(slope)
