"""What of the CLIP teacher is frozen, is computed once, and learns at a rate of its own."""

from dataclasses import replace

import pytest
import torch
from teacher_samples import DATA, PLAIN, build, film, names, picture_size
from torch.testing import assert_close

from harness.contracts import Precomputes, ScalesRates
from harness.spec import BadInput

FIXED = {"cross_frame": False, "vision_layers_trained": 0}
FREEZING = {
    "frames": {**FIXED},
    "frames-without-patches": {**FIXED, "enhanced_prompts": False},
    "frames-chosen": {**FIXED, "frames_used": 1},
    "frames-and-words": {**FIXED, "modalities": ("video", "text")},
    "frames-of-all": {**FIXED, "modalities": ("video", "audio", "text"), "integration": False},
    "words": {"modalities": ("text",)},
    "words-beside-trained-frames": {"modalities": ("video", "text")},
    "frames-beside-trained-words": {
        **FIXED,
        "modalities": ("video", "text"),
        "text_layers_trained": None,
    },
}
TENSORS = {
    "frames": {"frame_vectors", "frame_mask", "patches"},
    "frames-without-patches": {"frame_vectors", "frame_mask"},
    "frames-chosen": {"frame_vectors", "frame_mask", "patches"},
    "frames-and-words": {"frame_vectors", "frame_mask", "patches", "utterance"},
    "frames-of-all": {"frame_vectors", "frame_mask", "patches", "utterance"},
    "words": {"utterance"},
    "words-beside-trained-frames": {"utterance"},
    "frames-beside-trained-words": {"frame_vectors", "frame_mask", "patches"},
}
CHANGING = {
    "trained": {},
    "last-layer-trained": {"cross_frame": False, "vision_layers_trained": 1},
    "messages-through-a-frozen-tower": {"vision_layers_trained": 0},
    "trained-words": {"modalities": ("text",), "text_layers_trained": None},
    "sound": {"modalities": ("audio",)},
    "features": {"route": "features", "modalities": ("video", "audio", "text")},
}

every_frozen = pytest.mark.parametrize("case", FREEZING)


def clips(model):
    """Clips of different lengths, as the model reads them."""
    return model.tokenise(film())


def computed(model, batch):
    """The same clips without the views that precomputed tensors replace."""
    found = model.precompute(batch)
    gone = {"frames": "frames", "transcript": "transcripts"}
    hidden = {gone[view]: None for view in model.replaced_views()}
    tokens = None if "transcript" in model.replaced_views() else batch.tokens
    return replace(batch, precomputed=found, **{"tokens": tokens, **hidden})


def trained_once(model, batch):
    """The names of the parameters and buffers that a step of training moved."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model.train()(batch).score.square().sum().backward()
    optimiser.step()
    return {name for name, value in model.state_dict().items() if not value.equal(before[name])}


@every_frozen
@pytest.mark.parametrize("mode", [True, False])
def test_what_is_precomputed_is_what_would_be_computed(case, mode):
    model = build(**FREEZING[case], dropout=0.0).train(mode)
    batch = clips(model)
    expected = vars(model(batch))
    assert_close(vars(model(computed(model, batch))), expected, atol=1e-6, rtol=1e-6)


@every_frozen
def test_it_trains_as_well_from_what_is_precomputed(case):
    plain, fast = (build(**FREEZING[case], dropout=0.0).train() for _ in range(2))
    batch = clips(plain)
    plain(batch).score.square().sum().backward()
    fast(computed(fast, batch)).score.square().sum().backward()
    for (name, one), other in zip(plain.named_parameters(), fast.parameters(), strict=True):
        assert (one.grad is None) is (other.grad is None), name
        if one.grad is not None:
            assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-4)


@every_frozen
def test_frozen_towers_give_these_tensors_of_each_clip(case):
    model = build(**FREEZING[case])
    batch = clips(model)
    found = model.precompute(batch)
    assert set(found) == TENSORS[case]
    assert all(len(tensor) == len(batch) and not tensor.requires_grad for tensor in found.values())
    assert isinstance(model, Precomputes)


def test_patches_are_stored_once_a_clip_and_not_once_a_frame():
    model = build(**FIXED)
    assert model.precompute(film())["patches"].shape == (3, 4, 16)  # clips, patches, vision width


@pytest.mark.parametrize("case", CHANGING)
def test_what_changes_in_training_is_never_precomputed(case):
    model = build(**CHANGING[case])
    assert model.frozen_identity() is None
    assert model.replaced_views() == frozenset()
    assert model.precompute(model.tokenise(film())) == {}


@every_frozen
def test_the_identity_is_of_the_frozen_weights_alone(case):
    model, other = build(**FREEZING[case]), build(seed=1, **FREEZING[case])
    before = model.frozen_identity()
    assert before == build(**FREEZING[case]).frozen_identity()
    assert before != other.frozen_identity()
    assert trained_once(model, clips(model))
    assert model.frozen_identity() == before
    with torch.no_grad():
        frozen = sorted(names(model, trained=False))[0]
        model.get_parameter(frozen).view(-1)[0] += 1e-3
    assert model.frozen_identity() != before


def test_the_identity_is_also_of_how_clips_are_prepared():
    found = [
        build(**FIXED, **changes) for changes in ({}, {"frames_used": 2}, {"enhanced_prompts": False})
    ]
    other = build(**FIXED)
    other.tower.pixel_mean += 0.1
    assert len({model.frozen_identity() for model in (*found, other)}) == 4


@pytest.mark.parametrize("name", ["small-vit", "small-resnet", "small-timm-vit", "small-timm-net"])
def test_a_frozen_tower_stays_as_it_was_statistics_and_all(name, small):
    model = build(tower=name, cross_frame=False, vision_layers_trained=0)
    batch = film(clips=2, steps=2, lengths=(2, 1), size=picture_size(name))
    before = model(batch)
    moved = trained_once(model, batch)
    assert moved
    assert not [key for key in moved if key.startswith("tower.visual.")]
    assert names(model, trained=False) == {n for n in names(model) if n.startswith("tower.visual.")}
    route = (model.eval().route(batch, model.tower), model.train().route(batch, model.tower))
    assert route[0].pictures.values.equal(route[1].pictures.values)
    assert not before.score.equal(model.eval()(batch).score)


def test_messages_learn_through_a_frozen_tower():
    model = build(vision_layers_trained=0)
    moved = trained_once(model, film())
    assert {key for key in moved if key.startswith("route.cross_frame.")}
    assert not [key for key in moved if key.startswith("tower.visual.")]


@pytest.mark.parametrize(
    ("name", "count", "trained"),
    [
        ("small-vit", 1, ("transformer.resblocks.1.", "ln_post.", "proj")),
        ("small-vit", 2, ("transformer.", "ln_post.", "proj")),
        ("small-resnet", 2, ("layer3.", "layer4.", "attnpool.")),
        ("small-timm-vit", 1, ("trunk.blocks.5.", "trunk.norm.", "trunk.attn_pool.", "head.")),
    ],
)
def test_the_last_layers_train_and_what_follows_them(name, count, trained, small):
    model = build(tower=name, cross_frame=False, vision_layers_trained=count)
    found = {n.removeprefix("tower.visual.") for n in names(model, trained=True) if "visual" in n}
    every = {n.removeprefix("tower.visual.") for n in names(model) if "visual" in n}
    assert found == {n for n in every if n.startswith(trained)}
    assert found
    batch = film(clips=2, steps=2, lengths=(2, 1), size=picture_size(name))
    moved = {n.removeprefix("tower.visual.") for n in trained_once(model, batch) if "visual" in n}
    assert all(n.startswith(trained) for n in moved)


def test_the_last_text_layers_train_and_what_follows_them(small):
    model = build(tower="small-vit", text_layers_trained=1)
    found = {n.removeprefix("tower.text.") for n in names(model, trained=True) if ".text." in n}
    assert found == {
        n
        for n in (n.removeprefix("tower.text.") for n in names(model))
        if n.startswith(("transformer.resblocks.1.", "ln_final.", "text_projection"))
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"vision_layers_trained": 3}, "vision_layers_trained: .*at most the tower's 2 layers, given 3"),
        ({"text_layers_trained": 3}, "text_layers_trained: .*at most the tower's 2 layers, given 3"),
    ],
)
def test_more_layers_than_a_tower_has_are_refused(changes, told, small):
    with pytest.raises(BadInput, match=told):
        build(tower="small-vit", **changes)


def test_layers_that_cannot_be_told_apart_are_refused(small):
    with pytest.raises(BadInput, match=r"vision_layers_trained: .*TimmModel cannot be told apart"):
        build(tower="small-timm-net", cross_frame=False, vision_layers_trained=1)


def test_the_towers_learn_at_their_own_rate_and_fresh_parts_at_the_trials():
    model = build(tower_rate=0.01, modalities=("video", "text"), text_layers_trained=None)
    assert isinstance(model, ScalesRates)
    slow = {name for name in names(model) if model.rate_scale(name) == 0.01}
    assert slow == {name for name in names(model) if name.startswith("tower.")}
    assert all(model.rate_scale(name) == 1.0 for name in names(model) - slow)
    assert {"tower.logit_scale", "tower.visual.proj", "tower.text.text_projection"} <= slow
    assert any(name.startswith("route.cross_frame.") for name in names(model) - slow)


def test_features_are_read_by_no_tower_so_all_is_fresh_but_the_temperature():
    model = build(route="features", modalities=("video", "audio", "text"), tower_rate=0.5)
    assert {name for name in names(model) if model.rate_scale(name) == 0.5} == {"tower.logit_scale"}
    assert model(DATA.test).score.isfinite().all()


def test_the_parts_that_are_off_leave_the_frozen_tower_and_a_head():
    model = build(**{**PLAIN, "vision_layers_trained": 0})
    assert {name.split(".")[0] for name in names(model, trained=True)} == {"tower", "head"}
    assert [name for name in names(model, trained=True) if name.startswith("tower.")] == [
        "tower.logit_scale"
    ]
