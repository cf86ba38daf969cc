"""Transformers side by side, against one clip, one head and one transformer at a time."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from harness.nn.crossmodal import CrossModalTransformers, sinusoids
from harness.nn.crossmodal_block import TransformerOptions
from harness.nn.crossmodal_gate import GatedEncoder
from harness.nn.crossmodal_generation import Generator, steps_missing
from harness.nn.crossmodal_steps import StepConvolution, fitted, started
from harness.types import Padded

PAIRS = ((0, 1), (0, 2), (1, 0), (2, 1))
OPTIONS = TransformerOptions(width=6, heads=2, layers=2, positions="none")
DROPOUTS = dict.fromkeys(("embedding_dropout", "relu_dropout", "residual_dropout"), 0.5)


def sequence(*lengths, width=6, steps=None, seed=0):
    draw = torch.Generator().manual_seed(seed)
    steps = steps or max(1, *lengths)
    mask = torch.arange(steps) < torch.tensor(lengths).unsqueeze(1)
    values = torch.randn(len(lengths), steps, width, generator=draw)
    return Padded(values * mask.unsqueeze(2), mask)


def longer(found, steps):
    shape = (len(found.mask), steps)
    values = torch.cat((found.values, torch.zeros(*shape, found.width)), dim=1)
    return Padded(values, torch.cat((found.mask, torch.zeros(shape, dtype=torch.bool)), dim=1))


def made(options=OPTIONS, pairs=PAIRS):
    """In evaluation, with weights that make every gain and offset count."""
    torch.manual_seed(0)
    found = CrossModalTransformers(pairs, options, [0.0] * len(pairs)).eval()
    with torch.no_grad():
        for weight in found.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return found


def normed(steps, norms, row):
    width = steps.shape[1]
    gain, offset = (each.view(-1, width)[row] for each in (norms.weight, norms.bias))
    spread = ((steps - steps.mean(1, keepdim=True)) ** 2).mean(1, keepdim=True)
    return (steps - steps.mean(1, keepdim=True)) / (spread + 1e-5).sqrt() * gain + offset


def mapped(steps, linears, row, rows=slice(None)):
    weight = linears.weight[row]
    return steps @ weight[rows].T + linears.bias.view(-1, len(weight))[row][rows]


def attended(queries, keys, values, options):
    size = options.width // options.heads
    heads = []
    for start in range(0, options.width, size):
        q, k, v = (part[:, start : start + size] for part in (queries, keys, values))
        logits = q @ k.T / size**0.5
        if options.is_causal:
            ahead = abs(len(q) - len(k))
            for step in range(len(q)):
                logits[step, step + ahead + 1 :] = -torch.inf
        heads.append(logits.softmax(1) @ v)
    return torch.cat(heads, dim=1)


def one(found, row, steps, others):
    """Equation 4 for a clip of (T, D) that asks (S, D); None = itself."""
    options, width = found.options, found.options.width
    for block in found.blocks:
        first = normed(steps, block.norms[0], row)
        asked = first if others is None else normed(others, block.norms[0], row)
        parts = (first, asked, asked)
        qkv = [
            mapped(part, block.inner, row, slice(n * width, (n + 1) * width))
            for n, part in enumerate(parts)
        ]
        learned = mapped(attended(*qkv, options), block.outer, row)
        steps = (first if options.adds_normalised else steps) + learned
        second = normed(steps, block.norms[1], row)
        learned = mapped(mapped(second, block.widen, row).relu(), block.narrow, row)
        steps = (second if options.adds_normalised else steps) + learned
    return normed(steps, found.norm, row)


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("adds_normalised", [False, True])
@pytest.mark.parametrize(
    "lengths",
    [((3, 5), (4, 2), (5, 1)), ((3, 5), (5, 4), (1, 5)), ((3, 1), (1, 1), (1, 1))],
    ids=["ragged", "alike", "one step to ask"],
)
def test_each_is_equation_4_clip_by_clip(lengths, adds_normalised, is_causal):
    found = made(replace(OPTIONS, adds_normalised=adds_normalised, is_causal=is_causal))
    sequences = [sequence(*each, seed=seed) for seed, each in enumerate(lengths)]
    for row, (states, (asking, asked)) in enumerate(zip(found(sequences), PAIRS, strict=True)):
        for clip in range(2):
            steps, others = (
                sequences[index].values[clip, : lengths[index][clip]] for index in (asking, asked)
            )
            expected = one(found, row, steps, others)
            assert_close(states.values[clip, : len(steps)], expected, atol=1e-5, rtol=1e-5)
            assert not states.values[clip, len(steps) :].any()


@pytest.mark.parametrize("is_causal", [False, True])
def test_a_sequence_that_asks_itself_asks_its_present_states(is_causal):
    found = made(replace(OPTIONS, is_causal=is_causal), pairs=((0, 0), (1, 1)))
    lengths = ((3, 5), (4, 2))
    sequences = [sequence(*each, seed=seed) for seed, each in enumerate(lengths)]
    for row, states in enumerate(found(sequences)):
        for clip, length in enumerate(lengths[row]):
            expected = one(found, row, sequences[row].values[clip, :length], None)
            assert_close(states.values[clip, :length], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("lengths", [(3, 5, 1), (1, 1, 1)])
def test_the_last_steps_are_those_of_the_whole_sequences(lengths, is_causal):
    found = made(replace(OPTIONS, is_causal=is_causal, positions="interleaved"), pairs=((0, 0), (1, 1)))
    sequences = [sequence(*lengths, seed=seed) for seed in range(2)]
    for states, last in zip(found(sequences), found.last(sequences), strict=True):
        expected = states.values[torch.arange(3), torch.tensor(lengths) - 1]
        assert_close(last, expected, atol=1e-5, rtol=1e-5)


def test_more_padding_changes_nothing_and_no_gradient_reaches_it():
    found = made(replace(OPTIONS, positions="interleaved", is_scaled=True, is_causal=True))
    sequences = [sequence(3, 2, seed=seed) for seed in range(3)]
    padded = [longer(each, steps) for steps, each in zip((4, 0, 2), sequences, strict=True)]
    for each in padded:
        each.values.requires_grad_()
    for states, expected in zip(found(padded), found(sequences), strict=True):
        assert_close(states.values[:, :3], expected.values, atol=1e-5, rtol=1e-5)
    sum(states.values.sum() for states in found(padded)).backward()
    assert not any(each.values.grad[~each.mask].any() for each in padded)


def test_without_positions_the_order_of_those_who_are_asked_does_not_count_and_with_them_it_does():
    sequences = [sequence(4, seed=seed) for seed in range(3)]
    other = [sequences[0], Padded(sequences[1].values.flip(1), sequences[1].mask), sequences[2]]
    for positions, is_same in (("none", True), ("interleaved", False), ("halves", False)):
        found = made(replace(OPTIONS, positions=positions))
        states, expected = found(other)[0].values, found(sequences)[0].values
        assert torch.allclose(states, expected, atol=1e-5) == is_same


def test_a_step_that_may_not_look_ahead_learns_nothing_of_later_ones():
    found = made(replace(OPTIONS, is_causal=True), pairs=((0, 1),))
    first, second = sequence(4), sequence(4, seed=1)
    later = second.values.clone()
    later[:, 2:] *= -2
    states, changed = (found([first, Padded(v, second.mask)])[0].values for v in (second.values, later))
    assert_close(states[:, :2], changed[:, :2])
    assert not torch.isclose(states[:, 2:], changed[:, 2:]).all()


def test_steps_are_scaled_by_the_root_of_the_width():
    scaled = made(replace(OPTIONS, is_scaled=True, adds_normalised=False))
    sequences = [sequence(4, seed=seed) for seed in range(3)]
    larger = [Padded(each.values * 6**0.5, each.mask) for each in sequences]
    plain = made(replace(OPTIONS, adds_normalised=False))
    for states, expected in zip(scaled(sequences), plain(larger), strict=True):
        assert_close(states.values, expected.values)


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_positions_are_sines_and_cosines(width):
    found, halves = sinusoids(7, width, "interleaved"), sinusoids(7, width, "halves")
    for step in range(7):
        for place in range(width):
            angle = torch.tensor((step + 1) / 10000 ** (2 * (place // 2) / width))
            expected = angle.cos() if place % 2 else angle.sin()
            assert_close(found[step, place], expected)
    half = width // 2
    for place in range(half):
        angle = torch.arange(1, 8) * 10000 ** (-place / max(half - 1, 1))
        assert_close(halves[:, place], angle.sin())
        assert_close(halves[:, half + place], angle.cos())
    assert not halves[:, 2 * half :].any()


def test_a_step_that_begins_with_zero_has_no_position_where_sines_come_first():
    found = made(replace(OPTIONS, positions="halves"))
    values = sequence(2).values
    values[0, 1, 0] = 0
    embedded = found._embedded(Padded(values, torch.ones(1, 2, dtype=torch.bool)))
    assert embedded[0, 1].equal(values[0, 1])
    assert not embedded[0, 0].equal(values[0, 0])


@pytest.mark.parametrize("steps", [1, 4])
def test_each_transformer_has_its_own_attention_dropout(steps):
    torch.manual_seed(0)
    found = CrossModalTransformers(PAIRS, OPTIONS, [0.0, 0.9, 0.9, 0.0])
    sequences = [sequence(*[steps] * 8, seed=seed) for seed in range(3)]
    trained = [states.values for states in found.train()(sequences)]
    expected = [states.values for states in found.eval()(sequences)]
    same = [torch.allclose(*each, atol=1e-5) for each in zip(trained, expected, strict=True)]
    assert same == [True, False, False, True]


@pytest.mark.parametrize("name", DROPOUTS)
def test_every_other_dropout_counts_in_training_only(name):
    torch.manual_seed(0)
    found = CrossModalTransformers(PAIRS, replace(OPTIONS, **{name: 0.5}), [0.0] * 4)
    sequences = [sequence(3, seed=seed) for seed in range(3)]
    trained = found.train()(sequences)[0].values
    assert not trained.equal(found.train()(sequences)[0].values)
    assert found.eval()(sequences)[0].values.equal(found(sequences)[0].values)


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("ends", ["kept", "cut"])
def test_a_convolution_sees_a_clip_and_zeros_beside_it(ends, kernel):
    torch.manual_seed(0)
    convolution, lengths = StepConvolution(3, 4, kernel, ends), (6, 2, 1, 0)
    given = sequence(*lengths, width=3)
    found = convolution(given)
    before = (kernel - 1) // 2 if ends == "kept" else 0
    for clip, length in enumerate(lengths):
        steps = max(1, length if ends == "kept" else length - kernel + 1)
        assert found.lengths[clip] == steps
        for step in range(steps):
            expected = torch.zeros(4)
            for tap in range(kernel):
                if 0 <= step + tap - before < length:
                    expected += convolution.weight[:, :, tap] @ given.values[clip, step + tap - before]
            assert_close(found.values[clip, step], expected, atol=1e-6, rtol=1e-5)
        assert not found.values[clip, steps:].any()


def test_a_clip_without_a_step_is_begun_with_one_of_zeros():
    found = started(sequence(2, 0))
    assert found.lengths.tolist() == [2, 1]
    assert not found.values[1].any()


def test_sequences_are_fitted_with_zeros_or_by_cutting():
    values = sequence(3).values
    assert fitted(values, 2).equal(values[:, :2])
    assert fitted(values, 5)[:, :3].equal(values)
    assert not fitted(values, 5)[:, 3:].any()


def test_a_gated_encoder_takes_the_greatest_of_gated_existing_steps():
    torch.manual_seed(0)
    encoder, lengths = GatedEncoder(4, 3, 2), (5, 2, 1)
    given = sequence(*lengths, width=4)
    found = encoder(given)
    for clip, length in enumerate(lengths):
        steps = given.values[clip, :length]
        states = encoder.gru(steps)[0]
        beside = torch.cat((torch.zeros(1, 6), states, torch.zeros(1, 6)))
        taps, bias = encoder.gate.weight[0], encoder.gate.bias
        gates = torch.stack(
            [sum(taps[:, tap] @ beside[step + tap] for tap in range(3)) + bias for step in range(length)]
        ).sigmoid()
        read = torch.cat((steps, gates * states.tanh()), dim=1)
        expected = encoder.linear(read).tanh().max(0).values
        assert_close(found[clip], expected, atol=1e-6, rtol=1e-5)


def generator(*, among_clips):
    torch.manual_seed(0)
    options = TransformerOptions(width=5, heads=1, layers=1, positions="none")
    return Generator(options, 0.0, (4, 3), among_clips=among_clips).eval()


def test_what_is_generated_of_a_clip_depends_on_others_only_where_clips_ask_each_other():
    states = sequence(4, 3, 2, width=4)
    for among_clips in (False, True):
        made_ = generator(among_clips=among_clips)
        together, alone = made_(states), made_(Padded(states.values[:1], states.mask[:1]))
        assert together.shape == (3, 5, 3)
        assert torch.allclose(together[:1], alone, atol=1e-6) != among_clips


def test_features_ask_each_other_over_all_steps():
    made_, states = generator(among_clips=False), sequence(4, width=4)
    features = fitted(states.values, 5).transpose(1, 2)[0]
    expected = made_.linear(one(made_.transformer, 0, features, None).T)
    assert_close(made_(states)[0], expected, atol=1e-5, rtol=1e-5)


def test_a_clip_longer_than_what_generates_is_refused():
    with pytest.raises(ValueError, match="up to 5 steps, given 6"):
        generator(among_clips=False)(sequence(6, width=4))


def test_padding_beyond_what_generates_is_cut():
    made_, states = generator(among_clips=False), sequence(4, width=4)
    assert_close(made_(longer(states, 3)), made_(states))


def test_steps_that_changed_or_went_are_missing_and_padding_is_not():
    intact = sequence(4, 2)
    values = intact.values.clone()
    values[0, 1] = 0
    now = Padded(values[:, :3], intact.mask[:, :3])
    expected = [[False, True, False, True], [False] * 4]
    assert steps_missing(now, intact).tolist() == expected


def test_token_ids_that_changed_are_missing():
    ids, mask = torch.tensor([[1, 7, 9, 2]]), torch.ones(1, 4, dtype=torch.bool)
    gone = torch.tensor([[1, 0, 9, 2, 0]])
    now = Padded(gone, torch.ones(1, 5, dtype=torch.bool))
    assert steps_missing(now, Padded(ids, mask)).tolist() == [[False, True, False, False]]


@pytest.mark.parametrize("logits", [1, 10**6])
def test_however_many_clips_run_at_a_time_attention_is_the_same(monkeypatch, logits):
    monkeypatch.setattr("harness.nn.crossmodal_block.CACHED_LOGITS", logits)
    # Attention with dropout, but that nothing is dropped.
    monkeypatch.setattr("harness.nn.dropout.BitDropout.forward", lambda self, given: given)
    found = made()
    sequences = [sequence(3, 5, 1, seed=seed) for seed in range(3)]
    expected = [states.values for states in found.eval()(sequences)]
    for dropout in found.attention_dropouts:
        dropout.p = 0.5
    for states, plain in zip(found.train()(sequences), expected, strict=True):
        assert_close(states.values, plain, atol=1e-5, rtol=1e-5)
