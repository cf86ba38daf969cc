"""The EICS-style student: two spaces, and which loss is about which."""

import pytest
import torch
from schooling import EVENTS, array, build_loss, directions, fresh, mean_average_precision, schooled

from harness.registry import BASELINES, STUDENTS
from harness.spec import BadInput

CLIPS = EVENTS.test


def build(**params):
    return fresh(STUDENTS, "eics_encoder", **params)


@pytest.mark.parametrize("view", ["audio", "vision"])
def test_the_cosine_of_two_embeddings_is_the_mean_of_the_cosines_in_the_two_spaces(view):
    model = build()
    row = ("audio", "vision").index(view)
    spaces = [directions(array(space(CLIPS)[row])) for space in (model.explicit, model.implicit)]
    embedding = array(getattr(model(CLIPS), f"{view}_embedding"))
    expected = sum(codes @ codes.T for codes in spaces) / 2
    assert abs(embedding @ embedding.T - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("loss", "trained"),
    [("explicit_distance", {"explicit"}), ("modal_ce", {"implicit", "classifier"})],
)
def test_the_explicit_space_hears_of_pairs_and_the_implicit_one_of_classes(loss, trained):
    model = build().train()
    build_loss(loss, {})(model(EVENTS.train), EVENTS.train, None).backward()
    heard = {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert heard == trained


def test_both_spaces_hear_of_the_embeddings():
    model = build().train()
    build_loss("cross_triplet", {})(model(EVENTS.train), EVENTS.train, None).backward()
    heard = {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert heard == {"explicit", "implicit"}


def test_pulled_together_alone_the_explicit_codes_of_different_classes_become_one():
    model = schooled(build(), {"explicit_distance": {}}, steps=300)
    with torch.no_grad():
        codes = directions(array(model.explicit(CLIPS)[0]))
    assert (codes @ codes.T).min() > 0.9


def test_it_is_the_baseline_with_another_role():
    student, baseline = build(), fresh(BASELINES, "eics", seed=1)
    baseline.load_state_dict(student.state_dict())
    assert student(CLIPS).embedding.equal(baseline(CLIPS).embedding)


@pytest.mark.parametrize("width", [2, 4, 6, 64])
def test_half_of_it_has_an_even_width(width):
    half = STUDENTS.get("eics_encoder").config(width=width).halved()
    assert half.width == max(2, width // 4 * 2)
    assert (
        fresh(STUDENTS, "eics_encoder", width=half.width)(CLIPS).audio_embedding.shape[1] == half.width
    )


def test_a_width_that_cannot_be_shared_by_two_spaces_is_refused():
    with pytest.raises(BadInput, match="width"):
        build(width=7)


def test_taught_it_finds_clips_of_a_class():
    model = build()
    before = mean_average_precision(model)
    model = schooled(model, {"explicit_distance": {}, "modal_ce": {}, "cross_triplet": {}})
    assert mean_average_precision(model) > max(0.8, before + 0.2)
