import pytest
import torch
from contract import clips_of, ready, ready_to_use, told, ways
from torch import nn

from harness.efficiency import parameters
from harness.efficiency.parameters import components, inference_parameters
from harness.registry import BASELINES, STUDENTS, TEACHERS
from harness.types import Outputs


def test_weights_and_biases_are_counted():
    assert inference_parameters(nn.Linear(3, 2)) == 3 * 2 + 2


def test_layers_add_up():
    model = nn.Sequential(nn.Embedding(10, 4), nn.LSTM(4, 5), nn.LayerNorm(5))
    lstm = 4 * 5 * 4 + 4 * 5 * 5 + 2 * 4 * 5
    assert inference_parameters(model) == 10 * 4 + lstm + 2 * 5


def test_a_shared_tensor_counts_once():
    embedding, head = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
    head.weight = embedding.weight
    assert inference_parameters(nn.Sequential(embedding, head)) == 10 * 4


def test_a_module_used_twice_counts_once():
    layer = nn.Linear(4, 4)
    assert inference_parameters(nn.Sequential(layer, layer)) == 4 * 4 + 4


def test_frozen_parameters_count():
    assert inference_parameters(nn.Linear(3, 2).requires_grad_(requires_grad=False)) == 8


def test_buffers_do_not_count():
    assert inference_parameters(nn.BatchNorm1d(3)) == 2 * 3


def test_a_model_without_parameters_costs_none():
    assert inference_parameters(nn.ReLU()) == 0


class Taught(nn.Module):
    """A score, and a classifier that only losses read."""

    def __init__(self):
        super().__init__()
        self.body, self.score, self.classes = nn.Linear(4, 3), nn.Linear(3, 1), nn.Linear(3, 7)
        self.frozen = nn.Linear(2, 2).requires_grad_(requires_grad=False)

    def forward(self, batch):
        states = self.body(batch.audio.mean()[:, :4])
        parts = {"classes": self.classes(states)} if self.training else {}
        return Outputs(self.score(states).squeeze(1), parts=parts)


def test_what_only_losses_read_is_not_needed_at_inference():
    model = Taught().eval()
    needed = (4 * 3 + 3) + (3 + 1) + (2 * 2 + 2)
    assert inference_parameters(model, clips_of("retrieval")) == needed
    assert inference_parameters(model) == needed + 3 * 7 + 7


def test_components_are_the_top_level_parts():
    model = Taught()
    linear = {"body": 4 * 3 + 3, "score": 3 + 1, "classes": 3 * 7 + 7, "frozen": 2 * 2 + 2}
    assert components(model) == linear
    model.shift = nn.Parameter(torch.zeros(5))
    model.activation = nn.ReLU()
    assert components(model) == {"(own)": 5, **linear}


def test_a_tensor_that_parts_share_is_the_first_ones():
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 10))
    model[1].weight = model[0].weight
    assert components(model) == {"0": 10 * 4, "1": 10}
    again = nn.Sequential(model, model)
    assert components(again) == {"0": 10 * 4 + 10}


EVERY_MODEL = [
    way
    for registry in (TEACHERS, STUDENTS, BASELINES)
    for task in ("sentiment", "retrieval")
    for way in ways(registry, task)
    if way.id == way.values[0].name
]


@pytest.mark.parametrize(("entry", "config"), EVERY_MODEL)
def test_without_what_is_left_out_a_model_says_the_same(entry, config):
    model = ready_to_use(entry, config)
    batch = ready(model, clips_of(config.task))
    before = told(model(batch))
    with torch.enable_grad():
        used = {id(leaf) for leaf in parameters._leaves(model(batch))}
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad and id(parameter) not in used:
                parameter.fill_(torch.nan)
    assert all(one.equal(other) for one, other in zip(told(model(batch)), before, strict=True))


@pytest.mark.parametrize(("entry", "config"), EVERY_MODEL)
def test_components_add_up_to_the_model(entry, config):
    model = ready_to_use(entry, config)
    found = components(model)
    assert sum(found.values()) == inference_parameters(model)
    assert set(found) <= {name for name, _ in model.named_children()} | {"(own)", "(fitted)"}
