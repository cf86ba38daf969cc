"""The groups that parameters are trained in."""

import pytest
import torch
from torch import nn
from trials import dataset, spec

from harness.engine.optimiser import adamw
from harness.engine.terms import build_terms
from harness.engine.training_step import Learner, TrainingStep

INFO = dataset().info


class Scaled(nn.Module):
    """A tower at a tenth of the rate, a head at the whole."""

    def __init__(self):
        super().__init__()
        self.tower, self.head, self.frozen = nn.Linear(2, 2), nn.Linear(2, 1), nn.Linear(2, 2)
        self.frozen.requires_grad_(False)

    def rate_scale(self, name):
        return 0.1 if name.startswith("tower.") else 1.0


def learner(model, **changes):
    what = spec(**changes)
    return Learner(what, model, build_terms(what, INFO))


def test_every_trained_parameter_is_in_one_group_at_its_rate_and_decay():
    model = Scaled()
    step = TrainingStep(learner(model, learning_rate=0.02, weight_decay=0.3))
    found = {
        id(parameter): (group["peak"], group["weight_decay"])
        for group in adamw(step).param_groups
        for parameter in group["params"]
    }
    assert found == {
        id(model.tower.weight): (pytest.approx(0.002), 0.3),
        id(model.tower.bias): (pytest.approx(0.002), 0.0),
        id(model.head.weight): (0.02, 0.3),
        id(model.head.bias): (0.02, 0.0),
    }


def test_a_model_that_scales_nothing_has_one_rate():
    step = TrainingStep(learner(nn.Linear(2, 1), learning_rate=0.02))
    assert {group["peak"] for group in adamw(step).param_groups} == {0.02}


def test_a_teacher_that_is_trained_along_keeps_its_own_rate():
    student, teacher = nn.Linear(2, 1), nn.Linear(3, 1)
    step = TrainingStep(learner(student, learning_rate=0.02), learner(teacher, learning_rate=0.005))
    groups = adamw(step).param_groups
    of_teacher = [
        g for g in groups if any(p is teacher.weight or p is teacher.bias for p in g["params"])
    ]
    assert {group["peak"] for group in of_teacher} == {0.005}
    assert sum(p.numel() for group in groups for p in group["params"]) == 3 + 4


def test_the_first_step_moves_each_part_in_proportion_to_its_rate():
    torch.manual_seed(0)
    model = Scaled()
    optimiser = adamw(TrainingStep(learner(model, learning_rate=0.01, weight_decay=0.0)))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    model.head(model.tower(torch.ones(1, 2))).sum().backward()
    optimiser.step()
    moved = {
        name: float((p.detach() - before[name]).abs().max()) for name, p in model.named_parameters()
    }
    # Adam's first step is the learning rate itself, whatever the gradient.
    assert moved["tower.weight"] == pytest.approx(0.001, rel=1e-3)
    assert moved["head.weight"] == pytest.approx(0.01, rel=1e-3)
    assert moved["frozen.weight"] == 0
