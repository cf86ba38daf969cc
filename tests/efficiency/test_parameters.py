from torch import nn

from harness.efficiency.parameters import inference_parameters


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
