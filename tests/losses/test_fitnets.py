"""The hint loss against NumPy."""

import numpy as np
import pytest
import torch
from loss_samples import DATA, of_embedding

from harness.contracts import Adapts
from harness.losses.fitnets import FitNets, FitNetsConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(24, 5)), DRAW.normal(size=(24, 6))


def adapted(student=STUDENT, teacher=TEACHER):
    loss = FitNets(FitNetsConfig(), DATA.info)
    loss.adapt(of_embedding(student), of_embedding(teacher), clips=DATA.train)
    return loss.double()


def test_it_is_the_mean_squared_error_of_the_projected_embedding():
    loss = adapted()
    weight, bias = (loss.projection.linear.get_parameter(n).detach().numpy() for n in ("weight", "bias"))
    expected = np.mean([(weight @ s + bias - t) ** 2 for s, t in zip(STUDENT, TEACHER, strict=True)])
    found = loss(of_embedding(STUDENT), DATA.train, of_embedding(TEACHER))
    assert found.item() == pytest.approx(expected)


def test_a_teacher_that_is_an_affine_map_of_the_student_costs_nothing_once_the_map_is_found():
    loss, slope, shift = adapted(), DRAW.normal(size=(6, 5)), DRAW.normal(size=6)
    linear = loss.projection.linear
    linear.load_state_dict({"weight": torch.tensor(slope), "bias": torch.tensor(shift)})
    found = loss(of_embedding(STUDENT), DATA.train, of_embedding(STUDENT @ slope.T + shift))
    assert found.item() == pytest.approx(0, abs=1e-12)


def test_equal_widths_are_projected_all_the_same():
    loss = adapted(STUDENT, STUDENT)
    assert loss(of_embedding(STUDENT), DATA.train, of_embedding(STUDENT)) > 0.1


def test_the_projection_is_the_losss_own():
    loss = adapted()
    assert isinstance(loss, Adapts)
    assert {name: tuple(p.shape) for name, p in loss.named_parameters()} == {
        "projection.linear.weight": (6, 5),
        "projection.linear.bias": (6,),
    }
