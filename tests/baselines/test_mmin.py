"""MMIN against its formulas, window by window and block by block."""

from dataclasses import replace

import pytest
import torch
from contract import DATA, clips
from torch.nn.functional import leaky_relu
from torch.testing import assert_close

from baselines.sentiment.mmin import KERNELS, MMIN, Cascade, ConvolvedText, HighestState, MMINConfig
from harness.losses.cycle import Cycle, CycleConfig
from harness.losses.imagination import Imagination, ImaginationConfig
from harness.registry import BASELINES
from harness.spec import BadInput
from harness.types import Outputs, Padded

SIZES = {"width": 4, "layers": (5, 3), "blocks": 3, "head_width": 6, "dropout": 0.0}
PAIRS = (("text_vector", "text"), ("vision_vector", "vision"), ("audio_vector", "audio"))


def model():
    torch.manual_seed(0)
    return MMIN(MMINConfig(**SIZES), DATA.info)


def without(batch, *views):
    """The clips with zeros in place of some views, and themselves as they were."""
    gone = {
        view: Padded(torch.zeros_like(getattr(batch, view).values), getattr(batch, view).mask)
        for view in views
    }
    return replace(batch, **gone, intact=batch)


def affine(linear, vector):
    return linear.weight @ vector + linear.bias


def naive_cascade(cascade, vector):
    """x_{k+1} = x_k + d_k(e_k(x_k)): every code, and the end."""
    codes = []
    for encoder, decoder in zip(cascade.encoders, cascade.decoders, strict=True):
        inner, _, _, code = encoder
        codes.append(affine(code, leaky_relu(affine(inner, vector))))
        inner, _, _, outer = decoder
        vector = vector + affine(outer, affine(inner, codes[-1]).clamp(min=0))
    return torch.cat(codes), vector


def naive_text(net, words):
    """Every window of existing words by itself; zeros behind a text that is too short for one."""
    found = []
    for kernel, convolution in zip(KERNELS, net.convolutions, strict=True):
        missing = max(0, kernel - len(words))
        filled = torch.cat((words, words.new_zeros(missing, words.shape[1])))
        windows = [filled[start : start + kernel] for start in range(len(filled) - kernel + 1)]
        values = [
            torch.einsum("odk,kd->o", convolution.weight, window) + convolution.bias
            for window in windows
        ]
        found.append(torch.stack(values).clamp(min=0).amax(0))
    return affine(net.outer, torch.cat(found)).clamp(min=0)


def sequences(lengths, width=6):
    values = torch.randn(len(lengths), max(*lengths, 1), width)
    mask = torch.arange(values.shape[1]) < torch.tensor(lengths).unsqueeze(1)
    return Padded(values * mask.unsqueeze(2), mask)


def test_a_cascade_adds_what_each_block_makes_of_what_the_earlier_ones_have_come_to():
    torch.manual_seed(0)
    cascade, values = Cascade(7, (5, 3), 4), torch.randn(6, 7)
    codes, reached = cascade(values)
    end = cascade.end(codes, reached)
    for row, value in enumerate(values):
        expected = naive_cascade(cascade, value)
        assert_close((torch.cat(codes, dim=1)[row], end[row]), expected)


def test_text_is_the_highest_of_every_window_of_existing_words():
    torch.manual_seed(0)
    net, text = ConvolvedText(6, 4), sequences([9, 1, 2, 3, 4, 5, 7])
    for row, length in enumerate(text.lengths.tolist()):
        assert_close(net(text)[row], naive_text(net, text.values[row, :length]))


@pytest.mark.parametrize("steps", [0, 1])
def test_text_without_words_is_a_window_of_zeros(steps):
    net = ConvolvedText(6, 4)
    text = Padded(torch.zeros(2, 1, 6), torch.full((2, 1), bool(steps)))
    assert_close(net(text)[0], naive_text(net, torch.zeros(0, 6)))


def test_a_state_is_the_highest_of_the_existing_ones():
    torch.manual_seed(0)
    net, sequence = HighestState(6, 4), sequences([5, 1, 3])
    for row, length in enumerate(sequence.lengths.tolist()):
        states, _ = net.lstm(sequence.values[row : row + 1, :length])
        assert_close(net(sequence)[row], states[0].amax(0))


def test_an_empty_sequence_counts_as_one_zero_step():
    net = HighestState(6, 4)
    empty, zero = (
        Padded(torch.zeros(1, 2, 6), torch.tensor([[first, False]])) for first in (False, True)
    )
    assert net(empty).equal(net(zero))


def test_the_score_is_read_from_the_codes_of_what_is_available():
    port, batch = model().eval(), without(clips(), "vision")
    available = torch.cat([getattr(port, net)(getattr(batch, view)) for net, view in PAIRS], dim=1)
    outputs = port(batch)
    for row in range(len(batch)):
        codes, _ = naive_cascade(port.forth, available[row])
        first, _, _, second, _, _, outer = port.head
        hidden = affine(second, affine(first, codes).clamp(min=0)).clamp(min=0)
        assert_close(outputs.embedding[row], codes)
        assert_close(outputs.score[row], affine(outer, hidden).squeeze(0))


def test_the_complete_clip_is_imagined_and_what_was_available_comes_back():
    port, batch = model().train(), without(clips(), "vision", "text")
    outputs = port(batch)
    complete = torch.cat([getattr(port, net)(getattr(clips(), view)) for net, view in PAIRS], dim=1)
    assert_close(outputs.part("complete"), complete)
    for row in range(len(batch)):
        _, imagined = naive_cascade(port.forth, outputs.part("available")[row])
        _, returned = naive_cascade(port.back, imagined)
        assert_close(outputs.part("imagined")[row], imagined)
        assert_close(outputs.part("returned")[row], returned)


def test_what_is_not_missing_is_in_truth_as_it_is_available():
    outputs = model().train()(without(clips(), "vision"))
    available, complete = outputs.part("available"), outputs.part("complete")
    assert_close(available[:, :4], complete[:, :4])
    assert_close(available[:, 8:], complete[:, 8:])
    assert not torch.allclose(available[:, 4:8], complete[:, 4:8])


def test_a_clip_of_which_nothing_is_missing_is_its_own_truth():
    outputs = model().train()(clips())
    assert outputs.part("complete").equal(outputs.part("available"))


def test_the_truth_moves_no_weight():
    assert not model().train()(without(clips(), "audio")).part("complete").requires_grad


def test_no_score_depends_on_what_was_there_before_it_was_taken():
    port, batch = model().eval(), without(clips(), "audio")
    assert port(batch).score.equal(port(replace(batch, intact=None)).score)


def test_with_both_losses_it_learns_to_imagine_what_is_missing():
    port, batch = model().train(), without(clips(), "vision")
    losses = (Imagination(ImaginationConfig(), DATA.info), Cycle(CycleConfig(), DATA.info))
    weights = [*port.forth.parameters(), *port.back.parameters()]
    told = []
    for _ in range(30):
        outputs: Outputs = port(batch)
        values = [loss(outputs, batch, None) for loss in losses]
        told.append([value.item() for value in values])
        slopes = torch.autograd.grad(sum(values), weights)
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight.sub_(0.2 * slope)
    assert told[-1][0] < 0.5 * told[0][0]
    assert told[-1][1] < 0.5 * told[0][1]


@pytest.mark.parametrize("layers", [[], [4, 0]])
def test_an_autoencoder_without_a_layer_of_some_width_is_refused(layers):
    with pytest.raises(BadInput, match="layers"):
        BASELINES.get("mmin").configure({"layers": layers})
