"""What holds of every teacher, student and baseline of audio-visual retrieval."""

from dataclasses import replace
from typing import get_args

import pytest
import torch
from contract import EVENTS, build, events, longer, ready_to_use, told, ways
from safetensors.torch import load_model, save_model
from torch.testing import assert_close

from harness.contracts import Fits
from harness.efficiency.parameters import inference_parameters
from harness.registry import BASELINES, STUDENTS, TEACHERS
from harness.spec import TASKS, OutputName
from harness.types import Padded

SEARCHING = [*ways(STUDENTS, "retrieval"), *ways(BASELINES, "retrieval")]
WAYS = [*SEARCHING, *ways(TEACHERS, "retrieval")]
every_model = pytest.mark.parametrize(("entry", "config"), WAYS)
every_trained_model = pytest.mark.parametrize(
    ("entry", "config"), [way for way in WAYS if not way.values[1].is_fitted]
)
every_fitted_model = pytest.mark.parametrize(
    ("entry", "config"), [way for way in WAYS if issubclass(way.values[0].builder, Fits)]
)
every_searching_model = pytest.mark.parametrize(("entry", "config"), SEARCHING)
every_student = pytest.mark.parametrize(("entry", "config"), list(ways(STUDENTS, "retrieval")))
VIEWS = ("text", "vision", "audio")


def same(found, expected):
    return len(found) == len(expected) and all(
        one.equal(other) for one, other in zip(found, expected, strict=True)
    )


def filled(batch, view, value):
    """The same clips with one value everywhere in a view."""
    seen = getattr(batch, view)
    return replace(batch, **{view: Padded(torch.full_like(seen.values, value), seen.mask)})


@every_model
def test_it_fills_the_outputs_that_it_declares(entry, config):
    outputs = ready_to_use(entry, config)(events())
    given = {name for name in get_args(OutputName) if getattr(outputs, name) is not None}
    assert given == config.gives()
    if entry.kind != "teacher":
        assert TASKS["retrieval"].asks <= given


@every_model
def test_what_it_says_of_a_clip_is_finite(entry, config):
    said = told(ready_to_use(entry, config)(events()))
    assert all(len(value) == 8 and value.isfinite().all() for value in said)


@every_searching_model
def test_sound_and_pictures_have_vectors_of_one_width_and_none_is_zero(entry, config):
    outputs = ready_to_use(entry, config)(events())
    assert outputs.audio_embedding.shape == outputs.vision_embedding.shape
    for found in (outputs.audio_embedding, outputs.vision_embedding):
        assert found.norm(dim=1).min() > 0


@every_searching_model
def test_a_clip_is_looked_for_by_its_sound_or_its_pictures_alone(entry, config):
    model = ready_to_use(entry, config)
    outputs = model(events())
    deaf, blind = model(filled(events(), "audio", 1.0)), model(filled(events(), "vision", 1.0))
    assert deaf.vision_embedding.equal(outputs.vision_embedding)
    assert blind.audio_embedding.equal(outputs.audio_embedding)


@every_model
def test_the_label_of_a_clip_is_not_read(entry, config):
    model = ready_to_use(entry, config)
    unlabelled = replace(events(), target=torch.full((8,), -1))
    assert same(told(model(unlabelled)), told(model(events())))


@every_model
def test_it_sees_nothing_that_it_does_not_declare(entry, config):
    model = ready_to_use(entry, config)
    assert same(told(model(events().only(config.needs()))), told(model(events())))


@every_model
def test_every_view_that_it_declares_counts(entry, config):
    # A narrow rectified layer can be born dead, so one of five initialisations must react.
    for view in config.needs():
        assert any(reacts(ready_to_use(entry, config, seed), view) for seed in range(5)), view


def reacts(model, view):
    seen = getattr(events(), view)
    moved = Padded(seen.values.roll(1, 0) * seen.mask.unsqueeze(2), seen.mask)
    return not same(told(model(replace(events(), **{view: moved}))), told(model(events())))


@every_model
def test_it_says_the_same_twice(entry, config):
    model = ready_to_use(entry, config)
    assert same(told(model(events())), told(model(events())))


@every_model
def test_a_clip_is_told_the_same_alone_as_among_others_and_in_any_order(entry, config):
    model = ready_to_use(entry, config)
    together = told(model(events()))
    order = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    for rows in (torch.tensor([2]), order):
        for found, expected in zip(told(model(events().take(rows))), together, strict=True):
            assert_close(found, expected[rows], atol=1e-4, rtol=1e-4)


@every_model
def test_padding_does_not_change_what_it_says(entry, config):
    model = ready_to_use(entry, config)
    for found, expected in zip(told(model(longer(events()))), told(model(events())), strict=True):
        assert_close(found, expected)


@every_model
def test_a_clip_without_a_single_step_has_a_finite_vector(entry, config):
    model = ready_to_use(entry, config)
    views = {name: getattr(events(), name) for name in VIEWS}
    silent = {
        name: Padded(torch.zeros_like(view.values), torch.zeros_like(view.mask))
        for name, view in views.items()
    }
    assert all(value.isfinite().all() for value in told(model(replace(events(), **silent))))


@every_model
def test_it_can_be_kept_in_a_file(entry, config, tmp_path):
    model, other = ready_to_use(entry, config), build(entry, config, seed=1)
    save_model(model, str(tmp_path / "model.safetensors"))
    load_model(other, str(tmp_path / "model.safetensors"))
    assert same(told(other(events())), told(model(events())))


@every_model
def test_it_has_something_to_keep(entry, config):
    fitted = ready_to_use(entry, config)
    size = inference_parameters(fitted)
    assert size > 0


@every_trained_model
@pytest.mark.parametrize("count", [1, 8])
def test_it_can_be_trained_on_a_batch_of_any_size(entry, config, count):
    model = build(entry, config).train()
    outputs = model(events(count))
    assert outputs.parts.keys() == config.parts()
    said = [*told(outputs), *outputs.parts.values()]
    sum(value.square().sum() for value in said if value.requires_grad).backward()
    trained = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    assert [name for name, value in trained if value.grad is None] == []


@every_model
def test_it_gives_parts_only_while_it_is_trained(entry, config):
    assert not ready_to_use(entry, config)(events()).parts


@every_fitted_model
def test_what_is_fitted_is_fitted_to_clips_not_to_their_order(entry, config):
    torch.manual_seed(0)
    model, other = build(entry, config), build(entry, config)
    train = EVENTS.train
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.fit(train)
        other.fit(train.take(order))
    for found, expected in zip(told(other(events())), told(model(events())), strict=True):
        assert_close(found @ found.T, expected @ expected.T, atol=1e-3, rtol=1e-2)


@every_fitted_model
def test_fitting_again_finds_the_same(entry, config):
    model = ready_to_use(entry, config)
    before = told(model(events()))
    with torch.no_grad():
        model.fit(EVENTS.train)
    assert same(told(model(events())), before)


@every_student
def test_half_of_it_is_smaller_and_does_the_same(entry, config):
    half = config.halved()
    model, small = build(entry, config), build(entry, half)
    assert inference_parameters(small) < inference_parameters(model)
    assert (half.needs(), half.gives()) == (config.needs(), config.gives())
    assert all(value.isfinite().all() for value in told(small(events())))


@every_student
def test_it_can_be_computed_in_double_precision(entry, config):
    model = build(entry, config)
    expected = told(model(events()))
    found = told(model.double()(events().to(torch.device("cpu"), torch.float64)))
    assert all(value.dtype == torch.float64 for value in found)
    for one, other in zip(found, expected, strict=True):
        assert_close(one.float(), other)
