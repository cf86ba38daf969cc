"""Operations of a forward pass, counted by hand and by the harness."""

from dataclasses import replace

import pytest
import torch
from contract import clips_of, ready, ready_to_use, ways
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.utils.rnn import pack_padded_sequence
from trials import dataset, run, spec

from harness.efficiency.flops import counted_flops, forward_flops
from harness.engine.assembly import build_model, visible
from harness.registry import BASELINES, STUDENTS, TEACHERS
from harness.spec import TASKS

B, T, D, H = 3, 5, 4, 6
STEPS = torch.randn(B, T, D)
MODELS = [way for role in (STUDENTS, TEACHERS, BASELINES) for task in TASKS for way in ways(role, task)]
every_model = pytest.mark.parametrize(("entry", "config"), MODELS)


class Call(nn.Module):
    """A function as a model."""

    def __init__(self, function, *parts):
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)

    def forward(self, batch):
        return self.function(batch)


def flops_of(function, *tensors):
    return forward_flops(Call(lambda batch: function(*batch)), tensors)


def test_a_linear_layer_is_a_product_of_matrices_and_its_bias_is_free():
    assert forward_flops(nn.Linear(D, H), STEPS) == 2 * B * T * D * H
    assert forward_flops(nn.Linear(D, H, bias=False), STEPS) == 2 * B * T * D * H


def test_layers_add_up_and_activations_are_free():
    model = nn.Sequential(nn.Linear(D, H), nn.GELU(), nn.LayerNorm(H), nn.Linear(H, 1))
    assert forward_flops(model, STEPS) == 2 * B * T * (D * H + H)


def test_a_layer_used_twice_counts_twice():
    layer = nn.Linear(D, D)
    assert forward_flops(nn.Sequential(layer, layer), STEPS) == 2 * (2 * B * T * D * D)


def test_a_convolution_computes_every_pixel_it_gives():
    pictures = torch.randn(2, 3, 8, 8)
    assert forward_flops(nn.Conv2d(3, 4, 3), pictures) == 2 * 2 * (6 * 6 * 4) * (3 * 3 * 3)
    assert forward_flops(nn.Conv2d(3, 3, 3, groups=3), pictures) == 2 * 2 * (6 * 6 * 3) * (3 * 3)


def test_looking_up_is_no_arithmetic():
    assert forward_flops(nn.Embedding(10, D), torch.zeros(B, T, dtype=torch.int64)) == 0


def test_attention_is_two_products_of_matrices_a_head():
    heads, width = 2, 8
    queries, keys = torch.randn(B, heads, T, width), torch.randn(B, heads, 7, width)
    expected = 2 * (2 * B * heads * T * 7 * width)
    assert flops_of(scaled_dot_product_attention, queries, keys, keys) == expected


ATTENDED = 2 * B * T * (4 * D * D) + 2 * (2 * B * T * T * D)
"""Projections of queries, keys, values and of what was found; scores; what is found."""


@pytest.mark.parametrize("weights", [True, False])
def test_multi_head_attention_has_four_projections_beside_its_heads(weights):
    attention = nn.MultiheadAttention(D, 2, batch_first=True)
    model = Call(lambda steps: attention(steps, steps, steps, need_weights=weights), attention)
    assert forward_flops(model, STEPS) == ATTENDED


@pytest.mark.parametrize("layers", [1, 2])
def test_a_transformer_counts_on_its_fast_path(layers):
    one = nn.TransformerEncoderLayer(D, 2, H, batch_first=True)
    model = nn.TransformerEncoder(one, layers, enable_nested_tensor=False)
    assert forward_flops(model, STEPS) == layers * (ATTENDED + 2 * B * T * (2 * D * H))


CELLS = [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)]
every_cell = pytest.mark.parametrize(("layer", "gates"), CELLS)


@every_cell
def test_a_recurrent_layer_has_two_products_a_gate_and_step(layer, gates):
    assert forward_flops(layer(D, H, batch_first=True), STEPS) == 2 * B * T * gates * H * (D + H)


@every_cell
def test_an_upper_layer_reads_both_directions_of_the_lower(layer, gates):
    model = layer(D, H, num_layers=2, bidirectional=True, batch_first=True)
    lower, upper = 2 * gates * H * (D + H), 2 * gates * H * (2 * H + H)
    assert forward_flops(model, STEPS) == 2 * B * T * (lower + upper)


@every_cell
def test_steps_that_a_packed_sequence_leaves_out_are_free(layer, gates):
    packed = pack_padded_sequence(STEPS, torch.tensor([5, 3, 1]), batch_first=True)
    model = layer(D, H, batch_first=True)
    assert forward_flops(model, packed) == 2 * (5 + 3 + 1) * gates * H * (D + H)


def test_a_projected_lstm_reads_its_projection():
    model = nn.LSTM(D, H, proj_size=2, batch_first=True)
    assert forward_flops(model, STEPS) == 2 * B * T * (4 * H * (D + 2) + H * 2)


def test_the_fused_layers_of_an_accelerator_count_as_much():
    # On the meta device, which has the kernel's shapes and no accelerator.
    steps, state = torch.empty(T, B, D, device="meta"), torch.empty(2, B, H, device="meta")
    one = [torch.empty(4 * H, D), torch.empty(4 * H, H), torch.empty(4 * H), torch.empty(4 * H)]
    weights = [tensor.to("meta") for tensor in (*one, *one)]
    fused = torch.ops.aten._cudnn_rnn
    rest = (2, H, 0, 1, False, 0.0, False, True, [], None)
    found = flops_of(lambda x: fused(x, weights, 4, None, state, state, *rest), steps)
    assert found == 2 * B * T * 2 * 4 * H * (D + H)


def test_an_outer_product_is_one_an_entry_by_broadcasting_and_two_as_a_product_of_matrices():
    one, other = torch.randn(B, D), torch.randn(B, H)
    assert flops_of(lambda x, y: x.unsqueeze(2) * y.unsqueeze(1), one, other) == B * D * H
    assert flops_of(lambda x, y: torch.einsum("bd,bh->bdh", x, y), one, other) == B * D * H
    assert flops_of(torch.outer, one[0], other[0]) == D * H
    products = flops_of(lambda x, y: torch.bmm(x.unsqueeze(2), y.unsqueeze(1)), one, other)
    assert products == 2 * B * D * H


def test_a_product_as_large_as_a_factor_is_elementwise_and_free():
    row, number = torch.randn(D), torch.tensor(2.0)
    for other in (STEPS, STEPS[:, :1], row, number, 2.0):
        assert flops_of(lambda x, y: x * y, STEPS, other) == 0
    assert flops_of(lambda x, y: y * x, row, STEPS) == 0


def test_products_of_indices_are_no_floating_point():
    steps = torch.arange(T)
    assert flops_of(torch.outer, steps, steps) == 0
    assert flops_of(torch.outer, steps, steps.double()) == T * T


def test_sums_and_differences_of_all_pairs_are_free():
    assert flops_of(lambda x: x.unsqueeze(2) - x.unsqueeze(1), STEPS) == 0


def test_a_contraction_is_a_product_of_matrices():
    maps = torch.randn(B, D, H)
    assert flops_of(lambda x, w: torch.einsum("btd,bdh->bth", x, w), STEPS, maps) == 2 * B * T * D * H


def test_products_of_vectors_count():
    matrix, vector, other = torch.randn(H, D), torch.randn(D), torch.randn(H)
    assert flops_of(torch.mv, matrix, vector) == 2 * H * D
    assert flops_of(torch.addmv, other, matrix, vector) == 2 * H * D
    assert flops_of(torch.dot, vector, vector) == 2 * D
    assert flops_of(torch.addbmm, torch.zeros(T, T), STEPS, STEPS.mT) == 2 * B * T * T * D


def test_a_call_counts_as_much_where_inference_mode_is_on():
    layers = [
        nn.Sequential(nn.Linear(D, H), nn.GELU(), nn.Linear(H, 1)),
        nn.TransformerEncoderLayer(D, 2, H, batch_first=True),
        nn.LSTM(D, H, batch_first=True),
        nn.GRU(D, H, batch_first=True),
        nn.Conv1d(T, 2, 3),
    ]
    for layer in layers:
        layer.eval()
        inside = torch.inference_mode()(lambda layer=layer: layer(STEPS))
        assert counted_flops(inside) == forward_flops(layer, STEPS) > 0
        with torch.inference_mode():
            assert counted_flops(inside) == forward_flops(layer, STEPS)


def test_a_call_counts_whatever_is_done_in_it():
    layer, pictures = nn.Linear(D, H), torch.randn(2, 3, 8, 8)
    convolution = nn.Conv2d(3, 4, 3)
    both = counted_flops(lambda: (layer(STEPS), convolution(pictures)))
    assert both == forward_flops(layer, STEPS) + forward_flops(convolution, pictures)
    assert counted_flops(lambda: None) == 0


class Broken(nn.Module):
    """Fails in the middle of a forward pass."""

    def __init__(self):
        super().__init__()
        self.frozen = nn.Linear(D, D)

    def forward(self, batch):
        self.frozen(batch)
        raise ZeroDivisionError


def state_of(model):
    return (
        {name: module.training for name, module in model.named_modules()},
        {name: len(module._forward_hooks) for name, module in model.named_modules()},
        torch.backends.mha.get_fastpath_enabled(),
        torch.backends.cuda.flash_sdp_enabled(),
        torch.backends.cuda.math_sdp_enabled(),
        torch.is_grad_enabled(),
    )


def test_a_model_that_fails_is_left_as_it_was():
    model = Broken().train()
    model.frozen.eval()  # as frozen parts of a model are while the rest is trained
    before = state_of(model)
    with pytest.raises(ZeroDivisionError):
        forward_flops(model, STEPS)
    assert state_of(model) == before
    assert not model.frozen.training


@pytest.mark.parametrize("was_enabled", [True, False])
def test_the_fast_path_is_put_back_as_it_was(was_enabled):
    torch.backends.mha.set_fastpath_enabled(was_enabled)
    try:
        forward_flops(nn.Linear(D, H), STEPS)
        assert torch.backends.mha.get_fastpath_enabled() is was_enabled
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def test_dropout_and_batch_statistics_of_training_change_nothing():
    model = nn.Sequential(nn.BatchNorm1d(D), nn.Dropout(0.5), nn.Linear(D, H)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    forward_flops(model, STEPS[0])
    assert model.training
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


def test_a_trial_counts_the_first_clip_that_it_is_validated_on(tmp_path):
    what, data = spec("baseline", max_epochs=1), dataset()
    model = build_model(what, data)
    clip = visible(what, model, data.valid).take(torch.tensor([0]))
    assert run(what, tmp_path, data).result.efficiency.flops == forward_flops(model, clip)


@every_model
def test_a_model_with_matrices_computes_as_much_for_any_clips_of_equal_shape(entry, config):
    model = ready_to_use(entry, config)
    batch = ready(model, clips_of(config.task, 4).only(config.needs()))
    found = forward_flops(model, batch)
    assert (found > 0) == any(value.ndim > 1 for value in model.state_dict().values())
    assert forward_flops(model, negated(batch)) == found


def negated(batch):
    """Other clips of equal shape."""
    views = {name: getattr(batch, name) for name in ("text", "vision", "audio")}
    changed = {
        name: replace(view, values=-view.values) for name, view in views.items() if view is not None
    }
    return replace(batch, **changed)
