"""The match-score teacher: what it says of clips and pairs, from features and from frames."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from contract import EVENTS, events
from matching import cosines_by_hand
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from harness.nn.compare.match import match_logits
from harness.registry import TEACHERS, discover
from harness.spec import BadInput, VariantRef
from harness.teachers.match_score.model import MatchScore
from harness.types import Padded

discover()
TINY = TEACHERS.get("match_score").tiny
FILM = replace(EVENTS.info, views=EVENTS.info.views | {"frames"})
FROZEN = {"sees": ("frames", "audio"), "vision_layers_trained": 0}


def configure(**changes):
    return TEACHERS.configure(VariantRef(name="match_score", **{**TINY, **changes}))


def build(seed=0, **changes):
    torch.manual_seed(seed)
    return MatchScore(configure(**changes), FILM).eval()


def film(lengths=(3, 1, 2, 0)):
    """Clips of noise, in frames and in features."""
    draw = torch.Generator().manual_seed(0)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    pixels = torch.randint(0, 256, (*mask.shape, 3, 16, 16), generator=draw, dtype=torch.uint8)
    frames = Padded(pixels * mask.view(*mask.shape, 1, 1, 1), mask)
    return replace(events(len(lengths)), frames=frames)


def without(batch, view):
    """The same clips without a single step of a view."""
    seen = getattr(batch, view)
    return replace(batch, **{view: Padded(0 * seen.values, torch.zeros_like(seen.mask))})


def same(found, expected, **closeness):
    for name in ("class_logits", "embedding", "match"):
        assert_close(found.tensor(name), expected.tensor(name), **closeness)


def test_a_match_score_is_the_logistic_function_of_a_scaled_cosine():
    model = build()
    outputs = model(events())
    with torch.no_grad():
        model.match.log_scale.fill_(np.log(3))
        model.match.bias.fill_(-1)
        directions = model.match.direction(model.match.norm(outputs.embedding)).numpy()
        found = match_logits(model(events()).match)
    np.testing.assert_allclose(found, 3 * cosines_by_hand(directions, directions) - 1, atol=1e-5)


def test_no_clip_matches_another_better_than_itself():
    scores = match_logits(build()(events()).match)
    assert (scores.diagonal() >= scores - 1e-5).all()
    assert_close(scores.diagonal(), torch.full((8,), 5.0))


def test_class_logits_are_scaled_cosines_with_the_prompts():
    model = build()
    outputs = model(events())
    expected = cosines_by_hand(
        outputs.embedding.detach().numpy(), model.classes.prompts.detach().numpy()
    )
    np.testing.assert_allclose(outputs.class_logits.detach(), expected / 0.07, rtol=1e-4, atol=1e-4)


def test_there_is_a_clip_only_where_something_is_seen_or_read_by_it():
    def towers(**changes):
        return {
            name.split(".")[1] for name, _ in build(**changes).named_parameters() if "tower." in name
        }

    assert build().tower is None
    assert towers(prompts="clip") == set()
    assert towers(sees=("frames",)) == towers(sees=("frames",), prompts="clip") == {"visual"}


def test_prompts_of_the_text_tower_are_its_sentences_and_stay_as_they_are():
    model, config = build(prompts="clip"), configure(prompts="clip")
    assert config.sentences(FILM)[1] == "the sight and sound of dog"
    torch.manual_seed(0)
    tower = config.build_tower().eval()
    expected = tower.text_vectors(tower.tokens(config.sentences(FILM)))
    assert_close(model.classes.prompts, expected)
    assert not model.classes.prompts.requires_grad
    assert model.classes.log_scale.requires_grad


def test_names_of_several_words_are_read_as_words():
    info = replace(FILM, classes=("church_bell", "dog"))
    assert configure(template="hear {} now").sentences(info) == ("hear church bell now", "hear dog now")


@pytest.mark.parametrize("fusion", ["sum", "gated"])
@pytest.mark.parametrize("gone", ["audio", "text"])
def test_a_view_without_a_step_adds_nothing(fusion, gone):
    left = tuple(view for view in ("vision", "audio", "text") if view != gone)
    whole = build(fusion=fusion, sees=("vision", "audio", "text"))
    part = build(seed=1, fusion=fusion, sees=left)
    part.load_state_dict(
        {name: value for name, value in whole.state_dict().items() if f".{gone}." not in name}
    )
    same(whole(without(events(), gone)), part(events()))


def test_the_order_in_which_views_are_named_does_not_count():
    assert configure(sees=("text", "audio")) == configure(sees=("audio", "text"))


@pytest.mark.parametrize("integration", [False, True])
def test_only_with_integration_the_order_of_steps_counts(integration):
    model, batch = build(integration=integration, sees=("frames",)), film(lengths=(3, 3, 3))
    turned = Padded(batch.frames.values.flip(1), batch.frames.mask)
    found, expected = model(replace(batch, frames=turned)), model(batch)
    assert torch.allclose(found.embedding, expected.embedding, atol=1e-5) is not integration


def test_frames_are_seen_and_padding_or_company_does_not_change_them():
    model, batch = build(sees=("frames", "audio"), integration=True), film()
    together = model(batch)
    for row in range(4):
        alone = model(batch.take(torch.tensor([row])))
        same(alone, together.take(torch.tensor([row])), atol=1e-4, rtol=1e-4)
    darker = replace(batch, frames=Padded(batch.frames.values // 2, batch.frames.mask))
    changed = (model(darker).embedding - together.embedding).abs().amax(1) > 1e-4
    assert changed.tolist() == [True, True, True, False]


def test_clips_without_a_single_frame_are_heard():
    model = build(sees=("frames", "audio"))
    found = model(film(lengths=(0, 0)).take(torch.arange(2)))
    assert all(value.isfinite().all() for value in (found.embedding, found.match, found.class_logits))


def test_of_many_frames_some_can_be_taken():
    model, batch = build(sees=("frames",), frames_used=1), film(lengths=(3, 3))
    middle = Padded(batch.frames.values[:, 1:2], batch.frames.mask[:, 1:2])
    same(model(batch), model(replace(batch, frames=middle)))
    assert (model.config.frames_taken(), configure(frames_used=1).frames_taken()) == (1, None)


def test_what_a_frozen_tower_says_of_frames_can_be_kept():
    model, batch = build(**FROZEN), film()
    found = model.precompute(batch)
    assert model.replaced_views() == {"frames"}
    assert set(found) == {"frame_vectors", "frame_mask"}
    same(model(replace(batch.without(frozenset({"frames"})), precomputed=found)), model(batch))


def test_the_identity_of_what_is_frozen_is_that_of_its_weights_and_frames():
    identity = build(**FROZEN).frozen_identity()
    assert identity == build(**FROZEN, dropout=0.3).frozen_identity()
    others = (build(seed=1, **FROZEN), build(**FROZEN, frames_used=1))
    assert identity not in {other.frozen_identity() for other in others}


@pytest.mark.parametrize("changes", [{}, {"sees": ("frames",)}, {"prompts": "clip"}])
def test_without_frozen_sight_there_is_nothing_to_keep(changes):
    model = build(**changes)
    assert model.frozen_identity() is None
    assert model.precompute(film()) == {}
    assert model.replaced_views() == frozenset()


@pytest.mark.parametrize("layers", [None, 0, 1])
def test_as_much_of_the_tower_is_trained_as_asked_for(layers):
    model = build(sees=("frames",), layers=2, vision_layers_trained=layers).train()
    outputs = model(film())
    (outputs.embedding.square().sum() + outputs.match.sum() + outputs.class_logits.sum()).backward()
    moving = {name for name, value in model.tower.named_parameters() if value.requires_grad}
    assert all(value.grad is not None for value in model.parameters() if value.requires_grad)
    assert any("resblocks.1" in name for name in moving) is (layers != 0)
    assert any("resblocks.0" in name for name in moving) is (layers is None)
    assert (not moving) is (layers == 0)


def test_the_tower_learns_at_a_rate_of_its_own():
    model = build(sees=("frames",), tower_rate=0.1)
    slow = {name for name, _ in model.named_parameters() if model.rate_scale(name) == 0.1}
    assert slow == {name for name, _ in model.named_parameters() if name.startswith("tower.")}
    assert slow


def test_a_match_does_not_depend_on_how_loud_the_features_are_joined():
    model = build()
    clip = model(events()).embedding
    assert_close(model.match(100 * clip), model.match(clip), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sees": ("audio", "audio")}, "expected each view once, given audio, audio"),
        ({"sees": ()}, "at least 1 item"),
        ({"sees": ("transcript",)}, "'frames', 'vision', 'audio' or 'text', given 'transcript'"),
        ({"template": "an event"}, "one {} for the class, given 'an event'"),
        ({"vision_layers_trained": 2}, "at most the tower's 1 layers, given 2"),
        ({"heads": 3}, "multiples of heads, given 3 heads"),
    ],
)
def test_what_makes_no_teacher_is_refused(changes, message):
    with pytest.raises(BadInput, match=message):
        configure(**changes)


@pytest.mark.parametrize(
    ("changes", "info", "message"),
    [
        ({"sees": ("frames",)}, {}, "views of audio, text, vision, given frames to be seen"),
        ({}, {"classes": ("dog",)}, "at least two classes, found 1"),
        ({"prompts": "clip"}, {"classes": ("a_dog", "a dog")}, "'the sight and sound of a dog' twice"),
    ],
)
def test_data_that_it_cannot_be_taught_on_are_refused(changes, info, message):
    with pytest.raises(BadInput, match=message):
        configure(**changes).check_data(replace(EVENTS.info, **info))
    configure().check_data(replace(EVENTS.info, classes=("a_dog", "a dog")))


def test_half_of_it_is_as_wide_in_whole_heads_and_a_named_tower_has_no_half():
    half = configure(sees=("frames",), joint_width=40, width=24, heads=4).halved()
    assert (half.joint_width, half.width) == (20, 12)
    with pytest.raises(BadInput, match="no half size"):
        configure(sees=("frames",), tower="ViT-B-32").halved()
    assert configure(tower="ViT-B-32").halved().joint_width == 8


def test_a_table_says_what_it_saw_and_read():
    assert build().notes() == ("teacher sees vision, audio", "teacher prompts: learned")
    assert build(sees=("frames",)).notes()[-1] == "teacher tower: small CLIP, random weights"


def test_a_few_steps_teach_it_the_classes():
    model, train = build().train(), EVENTS.train
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(30):
        optimiser.zero_grad()
        cross_entropy(model(train).class_logits, train.target).backward()
        optimiser.step()
    found = model.eval()(EVENTS.test).class_logits.argmax(1)
    assert (found == EVENTS.test.target).float().mean() > 0.9
