"""MulT's own parts in plain torch, and clips of all lengths."""

from dataclasses import replace

import pytest
import torch
from contract import clips
from torch.testing import assert_close
from toy import Toy, ToyConfig

from baselines.sentiment.mult import MulT, MulTConfig
from harness.registry import BASELINES
from harness.spec import BadInput
from harness.types import Padded

INFO = Toy(ToyConfig()).load().info
TINY = {"width": 4, "heads": 2, "layers": 1, "memory_layers": 1}
PEER = dict.fromkeys(("positions", "scaling", "residual", "future", "projection", "convolution"), "peer")


def made(**params):
    torch.manual_seed(0)
    return MulT(MulTConfig(**{**TINY, **params}), INFO).eval()


def with_length(batch, view, length, steps=None):
    """The clips with `length` existing steps of a view, of `steps` in the tensor."""
    draw = torch.Generator().manual_seed(1)
    steps = max(1, length) if steps is None else steps
    values = torch.randn(len(batch), 40, getattr(batch, view).width, generator=draw)[:, :steps]
    mask = (torch.arange(steps) < length).expand(len(batch), steps)
    return replace(batch, **{view: Padded(values * mask.unsqueeze(2), mask)})


@pytest.mark.parametrize("switches", [{}, PEER], ids=["paper", "peer"])
def test_it_is_six_transformers_a_memory_a_modality_and_a_residual_block(switches):
    model, batch = made(**switches), clips(4)
    views = (batch.text, batch.audio, batch.vision)
    if not switches:
        projected = [c(view) for c, view in zip(model.convolutions, views, strict=True)]
    else:
        # Audio of the toy is as wide as the model.
        projected = [model.convolutions[0](views[0]), views[1], model.convolutions[2](views[2])]
    asked, last = model.across(projected), []
    for own in range(3):
        both = torch.cat((asked[2 * own].values, asked[2 * own + 1].values), dim=2)
        sequences = [Padded(both, projected[own].mask)] * 3
        states = model.within(sequences)[own]
        last.append(states.values[torch.arange(4), states.lengths - 1])
    side = torch.cat(last, dim=1)
    fused = side + model.narrow(model.widen(side).relu())
    found = model(batch)
    assert_close(found.embedding, fused, atol=1e-5, rtol=1e-5)
    assert_close(found.score, model.score(fused)[:, 0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("convolution", ["paper", "peer"])
@pytest.mark.parametrize("view", ["text", "vision", "audio"])
def test_a_sequence_shorter_than_a_kernel_counts_as_followed_by_zeros(view, convolution):
    model = made(convolution=convolution)
    for length in (0, 1, 2):
        short, long = (with_length(clips(4), view, length, steps) for steps in (None, 9))
        score = model(short).score
        assert score.isfinite().all()
        assert_close(score, model(long).score)


def test_a_clip_without_a_step_of_a_modality_counts_as_one_of_zeros():
    model = made()
    nothing = with_length(clips(4), "vision", 0)
    zero = replace(nothing, vision=Padded(nothing.vision.values, torch.ones(4, 1, dtype=torch.bool)))
    assert_close(model(nothing).score, model(zero).score)


def test_modalities_may_have_any_lengths():
    model = made(future="peer")
    batch = with_length(with_length(clips(4), "audio", 40), "vision", 17)
    assert model(batch).score.isfinite().all()


def test_the_last_existing_step_is_read_and_earlier_ones_only_through_attention():
    model = made(text_kernel=1, audio_kernel=1, vision_kernel=1, positions="peer")
    batch = clips(4)
    order = torch.tensor([1, 0, 2, 3])
    ended = with_length(batch, "audio", 4)
    swapped = replace(batch, audio=Padded(ended.audio.values[:, order], ended.audio.mask))
    assert_close(model(swapped).score, model(ended).score, atol=1e-6, rtol=1e-5)
    turned = replace(batch, audio=Padded(ended.audio.values.flip(1), ended.audio.mask))
    assert not torch.isclose(model(turned).score, model(ended).score).any()


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(BadInput, match="width 50 is no multiple of heads 8"):
        BASELINES.get("mult").configure({"heads": 8})


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("attention_dropout", [0, 0, 0.5, 0, 0.5, 0]),
        ("audio_attention_dropout", [0.5, 0, 0, 0, 0, 0.5]),
        ("vision_attention_dropout", [0, 0.5, 0, 0.5, 0, 0]),
    ],
)
def test_attention_dropout_is_that_of_the_modality_that_is_asked(name, rates):
    none = dict.fromkeys(
        ("attention_dropout", "audio_attention_dropout", "vision_attention_dropout"), 0.0
    )
    model = made(**{**none, name: 0.5})
    assert [dropout.p for dropout in model.across.attention_dropouts] == rates


def test_the_peer_does_not_convolve_a_modality_of_its_width():
    model = made(projection="peer")
    assert [bool(list(each.parameters())) for each in model.convolutions] == [True, False, True]
