"""What holds of every registered teacher, in each way that it can be configured to see a clip."""

from dataclasses import fields, replace
from functools import cache
from typing import Literal, get_args, get_origin

import pytest
import torch
from safetensors.torch import load_model, save_model
from torch.testing import assert_close
from toy import Toy, ToyConfig

from harness.registry import BUILTIN_PACKAGES, TEACHERS, discover
from harness.types import Padded, Tokenises

discover()
DATA = Toy(ToyConfig()).load()
SEQUENCES = ("text", "vision", "audio", "frames")
VECTORS = frozenset({"score", "class_logits", "embedding"})


def ways(registry):
    """The tiny version of each variant, and one for every other option of its switches and choices."""
    for entry in registry:
        if not entry.builder.__module__.startswith(BUILTIN_PACKAGES):
            continue
        tiny = entry.tiny_config()
        yield pytest.param(entry.name, (), id=entry.name)
        for name, field in entry.config.model_fields.items():
            for option in options(field.annotation):
                if option != getattr(tiny, name):
                    yield pytest.param(entry.name, ((name, option),), id=f"{entry.name}-{name}-{option}")


def options(annotation):
    if annotation is bool:
        return (False, True)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


every_teacher = pytest.mark.parametrize(("name", "changes"), list(ways(TEACHERS)))


def configured(name, changes):
    entry = TEACHERS.get(name)
    return entry.configure({**entry.tiny, **dict(changes)})


def build(name, changes, seed=0):
    torch.manual_seed(seed)
    return TEACHERS.get(name).builder(configured(name, changes), DATA.info).eval()


# Building a CLIP, and not calling it, is what takes the time.
built = cache(build)


def ready(model, batch):
    return model.tokenise(batch) if isinstance(model, Tokenises) else batch


def clips(count=8):
    """Clips of different lengths in every view, in noisy frames."""
    batch = DATA.train.take(torch.arange(count))
    draw = torch.Generator().manual_seed(0)
    frames = batch.frames.values + torch.randint(0, 99, batch.frames.values.shape, generator=draw)
    shown = torch.arange(2) < torch.tensor([[1 + row % 2] for row in range(count)])
    frames = torch.where(shown.view(count, 2, 1, 1, 1), frames.clamp(max=255).byte(), 0)
    return replace(batch, frames=Padded(frames.byte(), shown))


def longer(batch, steps=3):
    """The same clips with more padding."""
    found = {name: getattr(batch, name) for name in SEQUENCES}
    return replace(batch, **{name: more(sequence, steps) for name, sequence in found.items()})


def more(sequence, steps):
    values, mask = sequence.values, sequence.mask
    nothing = values.new_zeros(len(values), steps, *values.shape[2:])
    return Padded(
        torch.cat((values, nothing), dim=1), torch.cat((mask, mask.new_zeros(len(mask), steps)), dim=1)
    )


def said(model, batch):
    """Every vector that the model gives."""
    outputs = model(ready(model, batch))
    return {name: value for name in VECTORS if (value := getattr(outputs, name)) is not None}


def state(model):
    return {name: value.detach().clone() for name, value in model.state_dict(keep_vars=True).items()}


@every_teacher
def test_it_fills_the_outputs_that_it_declares(name, changes):
    model = built(name, changes)
    outputs = model(ready(model, clips()))
    given = {field.name for field in fields(outputs) if getattr(outputs, field.name) is not None}
    assert given == configured(name, changes).gives()


@every_teacher
def test_it_says_the_same_twice_and_does_not_change(name, changes):
    model = built(name, changes)
    before = state(model)
    first, second = said(model, clips()), said(model, clips())
    assert all(first[key].equal(second[key]) for key in first)
    assert all(before[key].equal(value) for key, value in state(model).items())


@every_teacher
def test_gradients_reach_all_that_is_trained_and_nothing_that_is_not(name, changes):
    model = built(name, changes)
    model.zero_grad()
    sum(value.square().sum() for value in said(model, clips()).values()).backward()
    reached = {
        key for key, value in model.named_parameters() if value.grad is not None and value.grad.any()
    }
    assert reached == {key for key, value in model.named_parameters() if value.requires_grad}


@every_teacher
def test_padding_does_not_change_what_it_says(name, changes):
    model = built(name, changes)
    assert_close(said(model, longer(clips())), said(model, clips()))


@every_teacher
def test_a_clip_gets_the_same_score_alone_as_among_others(name, changes):
    model = built(name, changes)
    together = said(model, clips())
    for row in range(len(clips())):
        index = torch.tensor([row])
        assert_close(said(model, clips().take(index)), {key: v[index] for key, v in together.items()})


@every_teacher
def test_the_order_of_the_clips_does_not_count(name, changes):
    model, order = built(name, changes), torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    found = said(model, clips().take(order))
    assert_close(found, {key: value[order] for key, value in said(model, clips()).items()})


@every_teacher
def test_it_sees_nothing_that_it_does_not_declare(name, changes):
    model, views = built(name, changes), configured(name, changes).needs()
    assert said(model, clips().only(views))["score"].equal(said(model, clips())["score"])


@every_teacher
def test_every_view_that_it_declares_changes_its_score(name, changes):
    model = built(name, changes)
    for view in configured(name, changes).needs() & set(SEQUENCES):
        sequence = getattr(clips(), view)
        turned = Padded(sequence.values.flip(0), sequence.mask.flip(0))
        other = said(model, replace(clips(), **{view: turned}))
        assert not other["score"].equal(said(model, clips())["score"]), view


@every_teacher
def test_a_clip_without_a_single_step_has_a_finite_score(name, changes):
    model = built(name, changes)
    nothing = {
        view: Padded(torch.zeros_like(sequence.values), torch.zeros_like(sequence.mask))
        for view in SEQUENCES
        if (sequence := getattr(clips(), view)) is not None
    }
    assert said(model, replace(clips(), **nothing))["score"].isfinite().all()


@every_teacher
def test_its_weights_can_be_kept_in_a_file(name, changes, tmp_path):
    model, other = built(name, changes), build(name, changes, seed=1)
    before = said(other, clips())["score"]
    save_model(model, str(tmp_path / "model.safetensors"))
    load_model(other, str(tmp_path / "model.safetensors"))
    found = said(other, clips())["score"]
    assert found.equal(said(model, clips())["score"])
    assert not found.equal(before)


@every_teacher
def test_a_step_of_training_moves_what_is_trained_and_nothing_else(name, changes):
    model = build(name, changes).train()
    frozen = {key for key, value in model.state_dict(keep_vars=True).items() if not value.requires_grad}
    before = state(model)
    trained = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=0.1)
    said(model, clips())["score"].square().sum().backward()
    optimiser.step()
    moved = {key for key, value in state(model).items() if not before[key].equal(value)}
    assert moved
    assert not moved & frozen
