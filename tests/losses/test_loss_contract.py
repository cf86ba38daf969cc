"""What holds of every registered loss."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close
from toy import Toy, ToyConfig

from harness.registry import BUILTIN_PACKAGES, LOSSES, discover
from harness.types import Outputs, Padded

discover()
BUILTIN = [
    pytest.param(entry, id=entry.name)
    for entry in LOSSES
    if entry.builder.__module__.startswith(BUILTIN_PACKAGES)
]
every_loss = pytest.mark.parametrize("entry", BUILTIN)
every_loss_with_a_teacher = pytest.mark.parametrize(
    "entry", [param for param in BUILTIN if param.values[0].config.advice]
)
every_loss_without_a_teacher = pytest.mark.parametrize(
    "entry", [param for param in BUILTIN if not param.values[0].config.advice]
)
DATA = Toy(ToyConfig()).load()
LEVELS, WIDTH, STEPS = 7, 5, 4
EVERY_OUTPUT = frozenset({"score", "class_logits", "embedding", "hidden"})


def build(entry):
    return entry.builder(entry.tiny_config(), DATA.info)


def clips(count):
    return DATA.train.take(torch.arange(count)).to(torch.device("cpu"), torch.float64)


def outputs(count, seed, needs_gradient=False):
    draw = torch.Generator().manual_seed(seed)

    def tensor(*shape):
        values = torch.randn(*shape, generator=draw, dtype=torch.float64)
        return values.requires_grad_(needs_gradient)

    mask = torch.arange(STEPS) < torch.randint(1, STEPS + 1, (count, 1), generator=draw)
    return Outputs(
        score=tensor(count),
        class_logits=tensor(count, LEVELS),
        embedding=tensor(count, WIDTH),
        hidden=Padded(tensor(count, STEPS, WIDTH), mask),
    )


def advice_for(entry, count):
    """A teacher's outputs, or None for a loss that declares no teacher."""
    return outputs(count, seed=1) if entry.config.advice else None


def rows(found, index):
    if found is None:
        return None
    taken = {name: value[index] for name, value in vars(found).items() if name != "hidden"}
    return Outputs(**taken, hidden=found.hidden.take(index))


def tensors(found):
    return [found.tensor(name) for name in sorted(EVERY_OUTPUT)]


def longer(found, steps=2):
    values, mask = found.hidden.values, found.hidden.mask
    values = torch.cat((values, values.new_zeros(len(values), steps, WIDTH)), dim=1)
    mask = torch.cat((mask, mask.new_zeros(len(mask), steps)), dim=1)
    return replace(found, hidden=Padded(values, mask))


@every_loss
@pytest.mark.parametrize("count", [1, 8])
def test_it_is_a_finite_number(entry, count):
    value = build(entry)(outputs(count, seed=0), clips(count), advice_for(entry, count))
    assert value.shape == ()
    assert value.isfinite()


@every_loss
def test_its_gradient_reaches_what_it_trains(entry):
    trained = outputs(8, seed=0, needs_gradient=True)
    build(entry)(trained, clips(8), advice_for(entry, 8)).backward()
    reached = {
        name
        for name in EVERY_OUTPUT
        if (gradient := trained.tensor(name).grad) is not None and gradient.any()
    }
    assert frozenset() < reached <= entry.config.needs


@every_loss_with_a_teacher
def test_no_gradient_reaches_the_teacher(entry):
    trained, advice = (outputs(8, seed=seed, needs_gradient=True) for seed in (0, 1))
    build(entry)(trained, clips(8), advice).backward()
    assert [tensor.grad for tensor in tensors(advice)] == [None] * len(EVERY_OUTPUT)


@every_loss
def test_the_order_of_the_clips_does_not_count(entry):
    loss, trained, batch, advice = build(entry), outputs(8, seed=0), clips(8), advice_for(entry, 8)
    order = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    found = loss(rows(trained, order), batch.take(order), rows(advice, order))
    assert_close(found, loss(trained, batch, advice))


@every_loss
def test_it_is_the_mean_over_clips(entry):
    loss, trained, batch, advice = build(entry), outputs(8, seed=0), clips(8), advice_for(entry, 8)
    twice = torch.arange(8).repeat(2)
    found = loss(rows(trained, twice), batch.take(twice), rows(advice, twice))
    assert_close(found, loss(trained, batch, advice))


@every_loss
def test_padding_does_not_count(entry):
    loss, trained, batch, advice = build(entry), outputs(8, seed=0), clips(8), advice_for(entry, 8)
    found = loss(longer(trained), batch, longer(advice) if advice else None)
    assert_close(found, loss(trained, batch, advice))


@every_loss
def test_its_gradient_is_the_slope(entry):
    trained, batch, advice = outputs(8, seed=0), clips(8), advice_for(entry, 8)
    loss = build(entry)
    gradient = outputs(8, seed=0, needs_gradient=True)
    loss(gradient, batch, advice).backward()
    reached = [
        name
        for name in sorted(entry.config.needs)
        if getattr(gradient.tensor(name), "grad", None) is not None
    ]

    def of(*inputs):
        changed = dict(zip(reached, inputs, strict=True))
        if "hidden" in changed:
            changed["hidden"] = Padded(changed["hidden"], trained.hidden.mask)
        return loss(replace(trained, **changed), batch, advice)

    assert torch.autograd.gradcheck(of, [gradient.tensor(name) for name in reached])


@every_loss
def test_it_reads_no_output_that_it_does_not_declare(entry):
    loss, trained, batch, advice = build(entry), outputs(8, seed=0), clips(8), advice_for(entry, 8)
    hidden = replace(trained, **dict.fromkeys(EVERY_OUTPUT - entry.config.needs))
    unheard = advice and replace(advice, **dict.fromkeys(EVERY_OUTPUT - entry.config.advice))
    assert loss(hidden, batch, unheard).equal(loss(trained, batch, advice))


@every_loss
def test_it_fails_without_an_output_that_it_declares(entry):
    loss, batch, advice = build(entry), clips(8), advice_for(entry, 8)
    for name in entry.config.needs:
        with pytest.raises((ValueError, TypeError)):
            loss(replace(outputs(8, seed=0), **{name: None}), batch, advice)


@every_loss_with_a_teacher
def test_it_fails_without_the_advice_that_it_declares(entry):
    with pytest.raises(ValueError, match="advice"):
        build(entry)(outputs(8, seed=0), clips(8), None)
    for name in entry.config.advice:
        with pytest.raises((ValueError, TypeError, AttributeError)):
            build(entry)(outputs(8, seed=0), clips(8), replace(outputs(8, seed=1), **{name: None}))


@every_loss_without_a_teacher
def test_a_teacher_says_nothing_to_a_loss_that_declares_none(entry):
    loss, trained, batch = build(entry), outputs(8, seed=0), clips(8)
    assert loss(trained, batch, outputs(8, seed=1)).equal(loss(trained, batch, None))
