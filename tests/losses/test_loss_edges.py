"""Every loss where formulas break: nothing to compare, no direction, no spread, no precision."""

from dataclasses import replace

import pytest
import torch
from loss_samples import EVERY_OUTPUT, LEVELS, advice_for, build, clips, losses, student, teacher

from harness.spec import BadInput
from harness.types import Outputs, Padded

VECTORS = sorted(EVERY_OUTPUT - {"hidden"})
every_loss = losses(lambda entry: True)
every_comparison_of_levels = losses(
    lambda entry: "class_logits" in entry.config.needs & entry.config.advice
)


def changed(found, change):
    hidden = Padded(change(found.hidden.values), found.hidden.mask)
    kept = {name: change(getattr(found, name)) for name in VECTORS}
    parts = {name: change(part) for name, part in found.parts.items()}
    return Outputs(**kept, hidden=hidden, parts=parts)


EDGES = {
    "zero": torch.zeros_like,
    "all clips alike": lambda values: values[:1].expand_as(values),
    "constant": lambda values: torch.full_like(values, 0.1),
    "nearly constant": lambda values: 100 + 1e-6 * values,
    "two clips in one place": lambda values: values[torch.tensor([0, 0, *range(2, len(values))])],
    "opposite clips": lambda values: (
        values[:1] * (1 - 2 * (torch.arange(len(values)) % 2)).view(-1, *[1] * (values.ndim - 1))
    ),
    "tiny": lambda values: 1e-30 * values,
    "certain": lambda values: 1e4 * values,
}


def leaves(found):
    """The same outputs as the start of a graph."""
    return changed(found, lambda values: values.detach().clone().requires_grad_())


def gradients(loss, trained):
    of_outputs = (*(getattr(trained, name) for name in VECTORS), trained.hidden.values)
    found = [values.grad for values in (*of_outputs, *trained.parts.values(), *loss.parameters())]
    return [gradient for gradient in found if gradient is not None]


def single(found):
    return found and changed(found, torch.Tensor.float)


@every_loss
@pytest.mark.parametrize("count", [2, 8])
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("side", ["student", "teacher", "both"])
def test_value_and_gradient_are_numbers(entry, count, edge, side):
    loss, trained, advice = (
        build(entry).float(),
        single(student(count, entry)),
        single(advice_for(entry, count)),
    )
    if side in {"student", "both"}:
        trained = changed(trained, EDGES[edge])
    if side in {"teacher", "both"}:
        advice = advice and changed(advice, EDGES[edge])
    trained = leaves(trained)
    value = loss(trained, clips(count, entry).to(torch.device("cpu")), advice)
    value.backward()
    assert value.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients(loss, trained))


@every_loss
def test_it_answers_in_half_precision_nearly_as_in_double(entry):
    loss, batch, advice = build(entry), clips(8, entry), advice_for(entry, 8)
    exact = loss(student(8, entry), batch, advice)
    trained, halved = (
        found and changed(found, torch.Tensor.bfloat16) for found in (student(8, entry), advice)
    )
    trained = leaves(trained)
    value = loss.bfloat16()(trained, batch.to(torch.device("cpu"), torch.bfloat16), halved)
    value.backward()
    assert value.item() == pytest.approx(exact.item(), rel=0.05, abs=0.02)
    assert all(gradient.isfinite().all() for gradient in gradients(loss, trained))


@every_loss
def test_it_answers_under_autocast_nearly_as_without(entry):
    loss, batch, advice = (
        build(entry).float(),
        clips(8, entry).to(torch.device("cpu")),
        advice_for(entry, 8),
    )
    trained, advice = leaves(single(student(8, entry))), single(advice)
    exact = loss(trained, batch, advice)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(trained, batch, advice)
    value.backward()
    assert value.item() == pytest.approx(exact.item(), rel=0.05)
    assert all(gradient.isfinite().all() for gradient in gradients(loss, trained))


@every_comparison_of_levels
def test_different_numbers_of_levels_are_not_compared(entry):
    fewer = replace(teacher(8, entry), class_logits=torch.zeros(8, LEVELS - 2, dtype=torch.float64))
    with pytest.raises(BadInput, match="7 levels apart, its teacher 5"):
        build(entry)(student(8, entry), clips(8, entry), fewer)
