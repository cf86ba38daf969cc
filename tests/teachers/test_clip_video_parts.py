"""What each switch of the CLIP teacher adds, and every union of what it can be given."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch
from contract import longer
from teacher_samples import DATA, PLAIN, build, configure, film, names
from torch.testing import assert_close

from harness.types import Padded

SENSES = ("video", "audio", "text")
UNIONS = [union for size in (1, 2, 3) for union in combinations(SENSES, size)]
VIEWS = {
    "frames": {"video": "frames", "audio": "audio", "text": "transcript"},
    "features": {"video": "vision", "audio": "audio", "text": "text"},
}
ADDED = {
    "cross_frame": "route.cross_frame.",
    "integration": "integration.",
    "enhanced_prompts": "video_prompts.",
}

every_union = pytest.mark.parametrize(
    ("route", "modalities"),
    [pytest.param(r, u, id=f"{r}-{'+'.join(u)}") for r in VIEWS for u in UNIONS],
)
BUILT = {}


def teacher(route, modalities):
    """One model a union for all tests that only call it."""
    if (route, modalities) not in BUILT:
        BUILT[route, modalities] = build(route=route, modalities=modalities)
    return BUILT[route, modalities]


def ready(model, batch):
    return model.tokenise(batch.only(model.config.needs()))


def said(model, batch):
    return vars(model(ready(model, batch)))


def changed(batch, view):
    """The same clips, one view of them another clip's."""
    if view == "transcript":
        return replace(batch, transcripts=batch.transcripts[::-1])
    sequence = getattr(batch, view)
    return replace(batch, **{view: Padded(sequence.values.flip(0), sequence.mask.flip(0))})


@pytest.mark.parametrize("part", ADDED)
def test_a_part_brings_its_own_parameters_and_takes_none_away(part):
    without, with_it = build(**PLAIN), build(**{**PLAIN, part: True})
    assert names(without) < names(with_it)
    assert all(name.startswith(ADDED[part]) for name in names(with_it) - names(without))


@pytest.mark.parametrize("part", ADDED)
def test_a_part_changes_what_the_teacher_says(part):
    without, with_it = build(**PLAIN), build(**{**PLAIN, part: True})
    with_it.load_state_dict(without.state_dict(), strict=False)
    before, after = without(film()), with_it(film())
    assert not torch.allclose(before.class_logits, after.class_logits, atol=1e-3)
    same = torch.allclose(before.embedding, after.embedding, atol=1e-5)
    assert same is (part == "enhanced_prompts")


def test_prompts_whose_alpha_is_zero_are_the_class_prompts():
    without, with_it = build(**PLAIN), build(**{**PLAIN, "enhanced_prompts": True, "alpha": 0.0})
    with_it.load_state_dict(without.state_dict(), strict=False)
    assert_close(with_it(film()).class_logits, without(film()).class_logits)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0])
def test_alpha_starts_where_it_is_told(alpha):
    found = build(alpha=alpha).video_prompts.alpha
    assert found.equal(torch.full_like(found, alpha))


def test_the_defaults_are_the_whole_method_on_the_video_alone():
    config = configure()
    assert config.cross_frame
    assert config.integration
    assert config.enhanced_prompts
    assert config.alpha == 0.1
    assert config.modalities == ("video",)
    assert config.regression_from == "logits"


@every_union
def test_a_union_needs_the_views_of_its_route_and_no_others(route, modalities):
    needed = configure(route=route, modalities=modalities).needs()
    assert needed == {VIEWS[route][sense] for sense in modalities}


@every_union
def test_everything_that_is_given_counts(route, modalities):
    model = teacher(route, modalities)
    for sense in modalities:
        other = changed(DATA.test, VIEWS[route][sense])
        assert not said(model, other)["score"].equal(said(model, DATA.test)["score"])


@every_union
def test_padding_changes_neither_outputs_nor_sequence(route, modalities):
    model = teacher(route, modalities)
    assert_close(said(model, longer(DATA.test)), said(model, DATA.test))


@every_union
def test_a_gate_is_there_when_words_join_something_else(route, modalities):
    gated = any(name.startswith("gate.") for name in names(teacher(route, modalities)))
    assert gated is ("text" in modalities and len(modalities) > 1)


@every_union
def test_it_can_be_trained(route, modalities):
    model = build(route=route, modalities=modalities).train()
    model(ready(model, DATA.train)).score.square().sum().backward()
    assert all(value.grad is not None for value in model.parameters() if value.requires_grad)


@every_union
def test_the_sequence_is_the_sound_and_then_the_pictures(route, modalities):
    hidden = said(teacher(route, modalities), DATA.test)["hidden"]
    view = DATA.test.frames if route == "frames" else DATA.test.vision
    lengths = view.lengths * ("video" in modalities) + ("audio" in modalities)
    # The utterance is a step of its own only where it is all there is.
    assert hidden.lengths.equal(lengths.clamp(min=1))


@every_union
def test_clips_of_nothing_have_a_finite_score_and_spoil_no_gradient(route, modalities):
    nothing = {
        view: Padded(torch.zeros_like(sequence.values), torch.zeros_like(sequence.mask))
        for view in ("frames", "vision", "audio", "text")
        if (sequence := getattr(DATA.test, view)) is not None
    }
    model = build(route=route, modalities=modalities)
    outputs = model(ready(model, replace(DATA.test, **nothing)))
    outputs.score.sum().backward()
    assert outputs.score.isfinite().all()
    assert all(value.grad.isfinite().all() for value in model.parameters() if value.grad is not None)


def test_only_the_towers_that_see_something_are_carried():
    visual, text = "tower.visual.", "tower.text."
    for changes, there in (
        ({}, {visual}),
        ({"modalities": ("audio",)}, set()),
        ({"modalities": ("text",)}, {text}),
        ({"modalities": ("video", "text")}, {visual, text}),
        ({"route": "features", "modalities": SENSES}, set()),
        ({"route": "features", "text_layers_trained": None}, {text}),
    ):
        found = names(build(**changes))
        assert {part for part in (visual, text) if any(n.startswith(part) for n in found)} == there


def test_the_tokens_of_a_transcript_are_the_towers_own_context_long():
    model = build(modalities=("video", "text"))
    tokens = ready(model, DATA.test).tokens
    assert tokens.values.shape == (len(DATA.test), model.config.context)
    found = model.tower.text_vectors(model.tower.tokens(DATA.test.transcripts))
    assert found.equal(model.route(ready(model, DATA.test), model.tower).utterance)


def test_the_table_says_which_parts_are_on():
    told = " ".join(build(modalities=("video", "text")).notes())
    assert "small CLIP, random weights" in told
    assert "sees video, text as frames" in told
    assert "cross-frame communication, multi-frame integration, video-enhanced prompts" in told
    assert "none beyond the mean" in " ".join(build(**PLAIN).notes())
    assert "cross-frame" not in " ".join(build(route="features").notes())
