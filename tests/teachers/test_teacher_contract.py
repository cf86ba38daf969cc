"""What holds of every registered teacher, in each way that it can be configured to see a clip."""

from dataclasses import replace
from typing import get_args

import pytest
import torch
from contract import SEQUENCES, build, longer, ready, ways
from contract import clips as plain_clips
from safetensors.torch import load_model, save_model
from torch.testing import assert_close

from harness.contracts import Precomputes, ScalesRates
from harness.registry import TEACHERS
from harness.spec import OutputName
from harness.types import Padded

VECTORS = frozenset({"score", "class_logits", "embedding"})


every_teacher = pytest.mark.parametrize(("entry", "config"), list(ways(TEACHERS)))
MODELS = {}


def built(entry, config):
    """One model a way for all tests that only call it: building a CLIP is what takes the time."""
    key = (entry.name, config.model_dump_json())
    if key not in MODELS:
        MODELS[key] = build(entry, config)
    return MODELS[key]


def clips(count=8):
    """Clips of different lengths in every view, in noisy frames."""
    batch = plain_clips(count)
    draw = torch.Generator().manual_seed(0)
    frames = batch.frames.values + torch.randint(0, 99, batch.frames.values.shape, generator=draw)
    shown = torch.arange(2) < torch.tensor([[1 + row % 2] for row in range(count)])
    frames = torch.where(shown.view(count, 2, 1, 1, 1), frames.clamp(max=255).byte(), 0)
    return replace(batch, frames=Padded(frames.byte(), shown))


def said(model, batch):
    """Every vector that the model gives."""
    outputs = model(ready(model, batch))
    return {name: value for name in VECTORS if (value := getattr(outputs, name)) is not None}


def state(model):
    return {name: value.detach().clone() for name, value in model.state_dict(keep_vars=True).items()}


@every_teacher
def test_it_fills_the_outputs_that_it_declares(entry, config):
    model = built(entry, config)
    outputs = model(ready(model, clips()))
    given = {name for name in get_args(OutputName) if getattr(outputs, name) is not None}
    assert given == config.gives()


@every_teacher
def test_its_outputs_have_a_row_a_clip_and_its_states_are_zero_where_no_step_is(entry, config):
    model = built(entry, config)
    outputs = model(ready(model, clips()))
    assert outputs.score.shape == (len(clips()),)
    given = [getattr(outputs, name) for name in ("class_logits", "embedding")]
    assert all(
        value.shape[0] == len(clips()) and value.ndim == 2 for value in given if value is not None
    )
    if outputs.hidden is not None:
        assert outputs.hidden.values.ndim == 3
        assert not outputs.hidden.values[~outputs.hidden.mask].any()
        assert outputs.hidden.mask.any(0).all()  # no step that no clip has


@every_teacher
def test_its_states_are_the_same_alone_and_with_more_padding(entry, config):
    model = built(entry, config)
    together = model(ready(model, clips())).hidden
    if together is None:
        assert "hidden" not in config.gives()
        return
    padded = model(ready(model, longer(clips()))).hidden
    assert_close(padded.values[padded.mask], together.values[together.mask])
    for row in range(len(clips())):
        alone = model(ready(model, clips().take(torch.tensor([row])))).hidden
        assert_close(alone.values[alone.mask], together.values[row][together.mask[row]])


@every_teacher
def test_it_reads_back_what_its_frozen_parts_said(entry, config):
    model = built(entry, config)
    if not isinstance(model, Precomputes):
        return
    found, views = model.precompute(ready(model, clips())), model.replaced_views()
    assert bool(found) is bool(views) is (model.frozen_identity() is not None)
    assert views <= config.needs()
    read = model(replace(ready(model, clips()).without(views), precomputed=found))
    assert_close(read.score, said(model, clips())["score"], atol=1e-6, rtol=1e-6)


@every_teacher
def test_every_parameter_has_a_rate(entry, config):
    model = built(entry, config)
    if isinstance(model, ScalesRates):
        assert all(model.rate_scale(name) > 0 for name, _ in model.named_parameters())


@every_teacher
def test_it_says_the_same_twice_and_does_not_change(entry, config):
    model = built(entry, config)
    before = state(model)
    first, second = said(model, clips()), said(model, clips())
    assert all(first[key].equal(second[key]) for key in first)
    assert all(before[key].equal(value) for key, value in state(model).items())


@every_teacher
def test_gradients_reach_all_that_is_trained_and_nothing_that_is_not(entry, config):
    model = built(entry, config)
    model.zero_grad()
    sum(value.square().sum() for value in said(model, clips()).values()).backward()
    reached = {
        key for key, value in model.named_parameters() if value.grad is not None and value.grad.any()
    }
    assert reached == {key for key, value in model.named_parameters() if value.requires_grad}


@every_teacher
def test_padding_does_not_change_what_it_says(entry, config):
    model = built(entry, config)
    assert_close(said(model, longer(clips())), said(model, clips()))


@every_teacher
def test_a_clip_gets_the_same_score_alone_as_among_others(entry, config):
    model = built(entry, config)
    together = said(model, clips())
    for row in range(len(clips())):
        index = torch.tensor([row])
        assert_close(said(model, clips().take(index)), {key: v[index] for key, v in together.items()})


@every_teacher
def test_the_order_of_the_clips_does_not_count(entry, config):
    model, order = built(entry, config), torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    found = said(model, clips().take(order))
    assert_close(found, {key: value[order] for key, value in said(model, clips()).items()})


@every_teacher
def test_it_sees_nothing_that_it_does_not_declare(entry, config):
    model, views = built(entry, config), config.needs()
    assert said(model, clips().only(views))["score"].equal(said(model, clips())["score"])


@every_teacher
def test_every_view_that_it_declares_changes_its_score(entry, config):
    model = built(entry, config)
    for view in config.needs() & set(SEQUENCES):
        sequence = getattr(clips(), view)
        turned = Padded(sequence.values.flip(0), sequence.mask.flip(0))
        other = said(model, replace(clips(), **{view: turned}))
        assert not other["score"].equal(said(model, clips())["score"]), view


@every_teacher
def test_a_clip_without_a_single_step_has_a_finite_score(entry, config):
    model = built(entry, config)
    nothing = {
        view: Padded(torch.zeros_like(sequence.values), torch.zeros_like(sequence.mask))
        for view in SEQUENCES
        if (sequence := getattr(clips(), view)) is not None
    }
    assert said(model, replace(clips(), **nothing))["score"].isfinite().all()


@every_teacher
def test_its_weights_can_be_kept_in_a_file(entry, config, tmp_path):
    model, other = built(entry, config), build(entry, config, seed=1)
    before = said(other, clips())["score"]
    save_model(model, str(tmp_path / "model.safetensors"))
    load_model(other, str(tmp_path / "model.safetensors"))
    found = said(other, clips())["score"]
    assert found.equal(said(model, clips())["score"])
    assert not found.equal(before)


@every_teacher
def test_a_step_of_training_moves_what_is_trained_and_nothing_else(entry, config):
    model = build(entry, config).train()
    frozen = {key for key, value in model.state_dict(keep_vars=True).items() if not value.requires_grad}
    before = state(model)
    trained = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=0.1)
    said(model, clips())["score"].square().sum().backward()
    optimiser.step()
    moved = {key for key, value in state(model).items() if not before[key].equal(value)}
    assert moved
    assert not moved & frozen
