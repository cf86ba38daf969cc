"""What holds of every registered loss."""

from dataclasses import replace

import pytest
import torch
from loss_samples import (
    EVERY_OUTPUT,
    advice_for,
    build,
    clips,
    data_of,
    losses,
    needed,
    student,
    teacher,
    tensors,
)
from torch.testing import assert_close

from harness.contracts import Adapts
from harness.types import Padded

every_loss = losses(lambda entry: True)
every_loss_with_a_teacher = losses(lambda entry: entry.config.advice)
every_loss_without_a_teacher = losses(lambda entry: not entry.config.advice)
every_mean_over_clips = losses(lambda entry: not entry.config.relational)
every_relation_of_clips = losses(lambda entry: entry.config.relational)
every_loss_that_reads_labels = losses(lambda entry: entry.config.labels)
every_loss_that_reads_no_labels = losses(lambda entry: not entry.config.labels)
every_loss_with_parameters = losses(lambda entry: hasattr(entry.builder, "adapt"))
every_loss_adapted_to_a_teacher = losses(
    lambda entry: hasattr(entry.builder, "adapt") and entry.config.advice
)
ORDER = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])


def rows(found, index):
    if found is None:
        return None
    return found.take(index)


def longer(found, steps=2):
    values, mask = found.hidden.values, found.hidden.mask
    values = torch.cat((values, values.new_zeros(len(values), steps, found.hidden.width)), dim=1)
    mask = torch.cat((mask, mask.new_zeros(len(mask), steps)), dim=1)
    return replace(found, hidden=Padded(values, mask))


@every_loss
@pytest.mark.parametrize("count", [1, 2, 8])
def test_it_is_a_finite_number(entry, count):
    value = build(entry)(student(count, entry), clips(count, entry), advice_for(entry, count))
    assert value.shape == ()
    assert value.isfinite()


@every_loss
def test_its_gradient_reaches_what_it_trains(entry):
    trained = student(8, entry, needs_gradient=True)
    build(entry)(trained, clips(8, entry), advice_for(entry, 8)).backward()
    everything = {name: trained.tensor(name) for name in EVERY_OUTPUT} | trained.parts
    reached = {
        name
        for name, value in everything.items()
        if (gradient := value.grad) is not None and gradient.any()
    }
    assert frozenset() < reached <= entry.config.needs | entry.config.parts


@every_loss_with_a_teacher
def test_no_gradient_reaches_the_teacher(entry):
    trained, advice = (of(8, entry, needs_gradient=True) for of in (student, teacher))
    build(entry)(trained, clips(8, entry), advice).backward()
    assert [tensor.grad for tensor in tensors(advice)] == [None] * len(EVERY_OUTPUT)


@every_loss
def test_the_order_of_the_clips_does_not_count(entry):
    loss, trained, batch, advice = build(entry), student(8, entry), clips(8, entry), advice_for(entry, 8)
    found = loss(rows(trained, ORDER), batch.take(ORDER), rows(advice, ORDER))
    assert_close(found, loss(trained, batch, advice))


@every_mean_over_clips
def test_it_is_the_mean_over_clips(entry):
    loss, trained, batch, advice = build(entry), student(8, entry), clips(8, entry), advice_for(entry, 8)
    twice = torch.arange(8).repeat(2)
    found = loss(rows(trained, twice), batch.take(twice), rows(advice, twice))
    assert_close(found, loss(trained, batch, advice))


@every_relation_of_clips
def test_a_clip_alone_has_no_relations_and_costs_nothing(entry):
    trained = student(1, entry, needs_gradient=True)
    value = build(entry)(trained, clips(1, entry), teacher(1, entry))
    value.backward()
    gradients = [value.grad for value in needed(entry, trained).values()]
    assert value.item() == 0
    assert [gradient.any().item() for gradient in gradients] == [False] * len(gradients)


@every_relation_of_clips
def test_a_relation_of_clips_is_no_mean_over_them(entry):
    loss, trained, batch, advice = build(entry), student(8, entry), clips(8, entry), teacher(8, entry)
    singles = [torch.tensor([row]) for row in range(8)]
    alone = [loss(rows(trained, row), batch.take(row), rows(advice, row)) for row in singles]
    assert loss(trained, batch, advice) > 1e-4 > max(alone)


@every_loss
def test_padding_does_not_count(entry):
    loss, trained, batch, advice = build(entry), student(8, entry), clips(8, entry), advice_for(entry, 8)
    found = loss(longer(trained), batch, longer(advice) if advice else None)
    assert_close(found, loss(trained, batch, advice))


@every_loss
def test_its_gradient_is_the_slope(entry):
    trained, batch, advice = student(8, entry), clips(8, entry), advice_for(entry, 8)
    loss = build(entry)
    gradient = student(8, entry, needs_gradient=True)
    loss(gradient, batch, advice).backward()
    reached = [
        name
        for name, value in needed(entry, gradient).items()
        if getattr(value, "grad", None) is not None
    ]

    def of(*inputs):
        changed = dict(zip(reached, inputs, strict=True))
        if "hidden" in changed:
            changed["hidden"] = Padded(changed["hidden"], trained.hidden.mask)
        parts = {name: changed.pop(name, value) for name, value in trained.parts.items()}
        return loss(replace(trained, parts=parts, **changed), batch, advice)

    inputs = needed(entry, gradient)
    assert torch.autograd.gradcheck(of, [inputs[name] for name in reached])


@every_loss
def test_it_reads_no_output_that_it_does_not_declare(entry):
    loss, trained, batch, advice = build(entry), student(8, entry), clips(8, entry), advice_for(entry, 8)
    parts = {name: trained.parts[name] for name in entry.config.parts}
    hidden = replace(trained, parts=parts, **dict.fromkeys(EVERY_OUTPUT - entry.config.needs))
    unheard = advice and replace(advice, **dict.fromkeys(EVERY_OUTPUT - entry.config.advice))
    assert loss(hidden, batch, unheard).equal(loss(trained, batch, advice))


@every_loss
def test_it_fails_without_an_output_that_it_declares(entry):
    loss, batch, advice = build(entry), clips(8, entry), advice_for(entry, 8)
    for name in entry.config.needs:
        with pytest.raises((ValueError, TypeError)):
            loss(replace(student(8, entry), **{name: None}), batch, advice)
    for name in entry.config.parts:
        others = {part: value for part, value in student(8, entry).parts.items() if part != name}
        with pytest.raises(ValueError, match=name):
            loss(replace(student(8, entry), parts=others), batch, advice)


@every_loss_with_a_teacher
def test_it_fails_without_the_advice_that_it_declares(entry):
    with pytest.raises(ValueError, match="advice"):
        build(entry)(student(8, entry), clips(8, entry), None)
    for name in entry.config.advice:
        with pytest.raises((ValueError, TypeError, AttributeError)):
            build(entry)(student(8, entry), clips(8, entry), replace(teacher(8, entry), **{name: None}))


@every_loss_without_a_teacher
def test_a_teacher_says_nothing_to_a_loss_that_declares_none(entry):
    loss, trained, batch = build(entry), student(8, entry), clips(8, entry)
    assert loss(trained, batch, teacher(8, entry)).equal(loss(trained, batch, None))


@every_loss_that_reads_no_labels
def test_without_labels_it_says_the_same(entry):
    loss, batch = build(entry), clips(8, entry)
    nothing = torch.nan if batch.target.is_floating_point() else -1
    unlabelled = replace(batch, target=torch.full_like(batch.target, nothing))
    found = loss(student(8, entry), unlabelled, advice_for(entry, 8))
    assert found.equal(loss(student(8, entry), batch, advice_for(entry, 8)))


@every_loss_that_reads_labels
def test_with_other_labels_it_says_something_else(entry):
    loss, batch = build(entry), clips(8, entry)
    # Classes in turn, shifted by one, are the same pairs of one class.
    found = loss(student(8, entry), replace(batch, target=batch.target[ORDER]), advice_for(entry, 8))
    assert not found.isclose(loss(student(8, entry), batch, advice_for(entry, 8)))


@every_loss
def test_it_has_parameters_or_a_memory_if_it_says_how_to_make_them(entry):
    fresh = entry.builder(entry.tiny_config(), data_of(entry).info)
    assert list(fresh.state_dict()) == []
    assert bool(build(entry).state_dict()) == isinstance(fresh, Adapts)


@every_loss
def test_it_has_a_memory_if_it_says_so(entry):
    assert bool(list(build(entry).buffers())) == entry.config.remembers


@every_loss_with_parameters
def test_its_parameters_are_trained(entry):
    loss = build(entry)
    loss(student(8, entry, needs_gradient=True), clips(8, entry), advice_for(entry, 8)).backward()
    assert [name for name, values in loss.named_parameters() if not values.grad.any()] == []


@every_loss_with_parameters
def test_its_parameters_are_drawn_from_the_seed(entry):
    drawn, again, other = (list(build(entry, seed).parameters()) for seed in (0, 0, 1))
    assert all(first.equal(second) for first, second in zip(drawn, again, strict=True))
    assert not any(first.equal(second) for first, second in zip(drawn, other, strict=True))


@every_loss_with_parameters
def test_before_it_is_adapted_it_refuses_to_answer(entry):
    loss = entry.builder(entry.tiny_config(), data_of(entry).info)
    with pytest.raises(ValueError, match="adapted"):
        loss(student(8, entry), clips(8, entry), advice_for(entry, 8))


@every_loss_adapted_to_a_teacher
def test_it_cannot_be_adapted_to_a_teacher_that_is_not_there(entry):
    loss = entry.builder(entry.tiny_config(), data_of(entry).info)
    with pytest.raises(ValueError, match="advice"):
        loss.adapt(student(8, entry), None, clips=data_of(entry).train)
