"""Memory fusion against loops written from the papers' equations, one clip and one step at a time."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from harness.nn.memory import (
    GatedMemory,
    Inner,
    LSTMStates,
    MemoryFusion,
    MemorySizes,
    at_end,
    deltas,
    existing,
)
from harness.nn.recurrence import lstm
from harness.types import Padded

WIDTHS_IN, WIDTHS = {"text": 5, "audio": 2, "vision": 3}, {"text": 4, "audio": 2, "vision": 3}
LENGTHS = {"text": (6, 1, 4), "audio": (6, 1, 2), "vision": (5, 1, 4)}


def drawn(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


def states(width_in=5, width=4):
    torch.manual_seed(0)
    return LSTMStates(width_in, width).double()


def sizes(*, gates_read_memory, dropout=0.0):
    return MemorySizes(3, Inner(4), Inner(5, dropout), Inner(6, dropout), gates_read_memory)


def padded(view, extra=0):
    lengths = torch.tensor(LENGTHS[view])
    mask = torch.arange(6 + extra) < lengths.unsqueeze(1)
    values = torch.zeros(3, 6 + extra, WIDTHS_IN[view], dtype=torch.float64)
    values[:, :6] = drawn(3, 6, WIDTHS_IN[view])
    return Padded(values * mask.unsqueeze(2), mask)


def fusion(*, gates_read_memory):
    torch.manual_seed(0)
    made = MemoryFusion(WIDTHS_IN, WIDTHS, Inner(7), sizes(gates_read_memory=gates_read_memory))
    return made.double().eval()


def by_torch(module):
    """The same LSTM as torch has it."""
    found = nn.LSTM(module.cell.input_size, module.cell.hidden_size, batch_first=True).double()
    found.load_state_dict({f"{name}_l0": value for name, value in module.cell.state_dict().items()})
    return found


def test_hidden_states_and_the_last_cell_are_those_of_torchs_lstm():
    module, values = states(), drawn(3, 6, 5)
    hidden, cells = module(values)
    expected, (_, last) = by_torch(module)(values)
    assert_close(hidden, expected)
    assert_close(cells[:, -1], last[0])


def test_every_cell_is_that_of_a_loop_over_torchs_lstm_cell():
    module, values = states(), drawn(3, 6, 5)
    state, expected = None, []
    for step in values.unbind(1):
        state = module.cell(step, state)
        expected.append(state[1])
    assert_close(module(values)[1], torch.stack(expected, dim=1))


def test_gradients_of_weights_and_inputs_are_those_of_torchs_lstm():
    module, values = states(), drawn(3, 6, 5).requires_grad_()
    same, again = by_torch(module), values.detach().clone().requires_grad_()
    module(values)[0].square().sum().backward()
    same(again)[0].square().sum().backward()
    assert_close(values.grad, again.grad)
    for name, value in module.cell.named_parameters():
        assert_close(value.grad, same.get_parameter(f"{name}_l0").grad)


@pytest.mark.parametrize("steps", [2, 4])
def test_the_slope_of_states_and_cells_is_that_of_finite_differences(steps):
    gates, recurrent = drawn(2, steps, 12).requires_grad_(), drawn(12, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lstm, (gates, recurrent))


def test_a_single_step_begins_with_nothing_and_its_recurrent_weights_take_no_part():
    gates, recurrent = drawn(2, 1, 12).requires_grad_(), drawn(12, 3, seed=1).requires_grad_()
    hidden, cells = lstm(gates, recurrent)
    enters, _, new, leaves = gates[:, 0].chunk(4, dim=1)
    assert_close(cells[:, 0], enters.sigmoid() * new.tanh())
    assert_close(hidden[:, 0], leaves.sigmoid() * cells[:, 0].tanh())
    (hidden.sum() + cells.sum()).backward()
    assert not recurrent.grad.any()
    assert torch.autograd.gradcheck(lambda each: lstm(each, recurrent.detach()), (gates,))


def test_under_autocast_states_are_as_precise_as_the_weights():
    module = LSTMStates(5, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden, cells = module(drawn(2, 3, 5).float())
        found = hidden.sum() + cells.sum()
    found.backward()
    assert hidden.dtype == cells.dtype == torch.float32
    assert module.cell.weight_hh.grad.isfinite().all()


def test_a_change_is_a_state_behind_the_one_before_and_zero_before_the_first():
    found = deltas(torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]))
    assert found.tolist() == [[[0, 0, 1, 2], [1, 2, 3, 4], [3, 4, 5, 6]]]


def test_the_end_is_the_last_existing_step_and_zero_without_one():
    values = torch.arange(1.0, 7.0).view(3, 2, 1)
    mask = torch.tensor([[True, True], [True, False], [False, False]])
    assert at_end(values, mask).tolist() == [[2.0], [3.0], [0.0]]


def test_a_step_exists_if_it_does_in_any_modality():
    rows = ([[1, 0, 0], [0, 0, 0]], [[1, 1, 0], [0, 0, 0]])
    masks = [torch.tensor(row, dtype=torch.bool) for row in rows]
    found = existing(*(Padded(torch.zeros(2, 3, 1), mask) for mask in masks))
    assert found.tolist() == [[True, True, False], [False, False, False]]


def remembered(memory, inputs):
    """The memory after the steps (T, D) of one clip, by its equation."""
    state = torch.zeros(memory.width, dtype=inputs.dtype)
    for now in inputs:
        read = torch.cat((now, state)) if memory.gates_read_memory else now
        retain, update = memory.retain(read).sigmoid(), memory.update(read).sigmoid()
        state = retain * state + update * memory.proposal(now).tanh()
    return state


@pytest.mark.parametrize("gates_read_memory", [False, True])
def test_the_memory_keeps_a_share_of_itself_and_adds_a_share_of_what_is_new(gates_read_memory):
    torch.manual_seed(0)
    memory = GatedMemory(5, sizes(gates_read_memory=gates_read_memory)).double()
    inputs = drawn(3, 4, 5)
    found = memory(inputs)
    for clip in range(3):
        for step in range(4):
            assert_close(found[clip, step], remembered(memory, inputs[clip, : step + 1]))


@pytest.mark.parametrize("gates_read_memory", [False, True])
def test_dropout_in_the_gates_acts_in_training_only(gates_read_memory):
    memory = GatedMemory(5, sizes(gates_read_memory=gates_read_memory, dropout=0.5)).double()
    inputs = drawn(3, 4, 5)
    assert not memory(inputs).equal(memory(inputs))
    memory.eval()
    assert memory(inputs).equal(memory(inputs))


def test_gates_that_are_shut_and_open_keep_the_first_memory_for_ever():
    memory = GatedMemory(5, sizes(gates_read_memory=False)).double()
    inputs = drawn(2, 4, 5)
    first = memory.proposal(inputs[:, 0]).tanh()
    for gate, bias in ((memory.retain, 50.0), (memory.update, -50.0)):
        nn.init.zeros_(gate[3].weight)
        nn.init.constant_(gate[3].bias, bias)
    assert_close(memory(inputs), torch.zeros(2, 4, 3, dtype=torch.float64))
    nn.init.constant_(memory.update[3].bias, 50.0)
    assert_close(memory(inputs)[:, 0], first)


def fused_by_steps(module, clip):
    """The fused vector of one clip without padding, by the equations of MFN."""
    steps = max(LENGTHS[view][clip] for view in WIDTHS)
    state = {view: tuple(torch.zeros(2, 1, width).double()) for view, width in WIDTHS.items()}
    attended = []
    for step in range(steps):
        before = torch.cat([state[view][1] for view in WIDTHS], dim=1)
        for view in WIDTHS:
            now = padded(view).values[clip : clip + 1, step]
            state[view] = module.lstms[view].cell(now, state[view])
        change = torch.cat((before, *(state[view][1] for view in WIDTHS)), dim=1)
        attended.append(module.attention(change).softmax(1) * change)
    memory = remembered(module.memory, torch.cat(attended))
    return torch.cat([*(state[view][0][0] for view in WIDTHS), memory])


@pytest.mark.parametrize("gates_read_memory", [False, True])
@pytest.mark.parametrize("clip", [0, 1, 2])
def test_the_fused_vector_is_what_the_equations_make_of_a_clip_without_padding(clip, gates_read_memory):
    module = fusion(gates_read_memory=gates_read_memory)
    found = module({view: padded(view) for view in WIDTHS})
    assert_close(found[clip], fused_by_steps(module, clip))


def test_after_the_last_step_of_a_clip_nothing_changes():
    module = fusion(gates_read_memory=True)
    found = module({view: padded(view) for view in WIDTHS})
    assert_close(module({view: padded(view, extra=4) for view in WIDTHS}), found)


def test_clips_without_a_step_have_a_fused_vector_of_zeros():
    module = fusion(gates_read_memory=True)
    silent = {
        view: Padded(torch.zeros(2, 1, width).double(), torch.zeros(2, 1, dtype=torch.bool))
        for view, width in WIDTHS_IN.items()
    }
    assert not module(silent).any()
