"""The CLIP teacher against NumPy and against open_clip's own model."""

import json
import socket
from dataclasses import replace

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize
from torch.testing import assert_close
from toy import Toy, ToyConfig

from harness.registry import TEACHERS
from harness.spec import BadInput, VariantRef
from harness.teachers.clip_video import PROMPTS, ClipVideo
from harness.types import Padded

DATA = Toy(ToyConfig()).load()
TINY = TEACHERS.get("clip_video").tiny
# The smallest architecture that open_clip knows by itself.
REAL = "ViT-S-32-alt"
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
SMALL = {
    "small-vit": {"image_size": 16, "patch_size": 8, "width": 16, "head_width": 8, "layers": 1},
    "small-resnet": {"image_size": 32, "width": 4, "layers": [1, 1, 1, 1]},
}


UNUSABLE = {
    "small-coca": {"vision_cfg": SMALL["small-vit"], "text_cfg": TEXT, "multimodal_cfg": TEXT},
    "small-untold": {
        "vision_cfg": SMALL["small-vit"],
        "text_cfg": {**TEXT, "hf_tokenizer_name": "./no/such/tokenizer"},
    },
}


def build(seed=0, info=DATA.info, **changes):
    torch.manual_seed(seed)
    params = changes if "tower" in changes else {**TINY, **changes}
    config = TEACHERS.configure(VariantRef(name="clip_video", **params))
    return ClipVideo(config, info).eval()


def film(clips=3, steps=4, size=16, lengths=(4, 1, 2)):
    """Clips of noise."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (clips, steps, 3, size, size), generator=draw, dtype=torch.uint8)
    mask = torch.arange(steps) < torch.tensor(lengths).unsqueeze(1)
    frames = Padded(pixels * mask.view(clips, steps, 1, 1, 1), mask)
    return replace(DATA.train.take(torch.arange(clips)), frames=frames)


def cosines(left, right):
    left, right = (part.detach().double().numpy() for part in (left, right))
    lengths = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)
    return left @ right.T / lengths


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Architectures small enough for tests, which open_clip builds and loads as it does its own."""
    folder = tmp_path_factory.mktemp("architectures")
    usable = {name: {"vision_cfg": vision, "text_cfg": TEXT} for name, vision in SMALL.items()}
    for name, towers in (usable | UNUSABLE).items():
        (folder / f"{name}.json").write_text(json.dumps({"embed_dim": 16, **towers}))
    open_clip.add_model_config(folder)


def checkpoint(name, file):
    """open_clip's own model of that name, and the file that its weights were saved to."""
    torch.manual_seed(1)
    clip = open_clip.create_model(name).eval()
    torch.save({"state_dict": clip.state_dict()}, file)
    return clip


def test_class_logits_are_scaled_cosines_between_video_and_prompts():
    model = build(train_text_tower=True)
    found = model(film())
    prompts = model.tower.text_vectors(model.tower.tokens(PROMPTS))
    scale = np.exp(model.tower.logit_scale.item())
    assert scale == pytest.approx(1 / 0.07, rel=1e-5)
    expected = scale * cosines(found.embedding, prompts)
    np.testing.assert_allclose(found.class_logits.detach().numpy(), expected, rtol=1e-4, atol=1e-4)


def test_prompts_that_are_not_trained_are_what_the_text_tower_said_of_them():
    fixed, trained = build()(film()), build(train_text_tower=True)(film())
    assert_close(fixed.class_logits, trained.class_logits)


def test_a_class_logit_belongs_to_its_prompt():
    as_given, turned = build(), build(prompts=PROMPTS[::-1])
    assert_close(turned(film()).class_logits, as_given(film()).class_logits.flip(1))


def test_there_is_a_class_logit_a_prompt():
    assert build(prompts=("bad", "so so", "good"))(film()).class_logits.shape == (3, 3)


def test_the_video_vector_is_the_mean_over_existing_frames():
    model, batch = build(), film()
    found = model(batch).embedding
    for row, length in enumerate(batch.frames.lengths):
        vectors = model.tower.image_vectors(batch.frames.values[row, :length]).detach().numpy()
        np.testing.assert_allclose(found[row].detach().numpy(), vectors.mean(0), atol=1e-5)


def test_the_score_is_read_from_the_class_logits_alone():
    model = build()
    outputs = model(film())
    assert model.head(outputs.class_logits).squeeze(1).equal(outputs.score)


def test_features_enter_as_the_mean_over_views_of_means_over_steps():
    model = build(route="features", features=("vision", "audio", "text"))
    vectors = []
    for view in ("vision", "audio", "text"):
        sequence = getattr(DATA.test, view)
        steps = model.entries[view](sequence.values).detach().numpy()
        vectors.append([steps[row, :length].mean(0) for row, length in enumerate(sequence.lengths)])
    found = model(DATA.test).embedding.detach().numpy()
    np.testing.assert_allclose(found, np.mean(vectors, axis=0), atol=1e-5)


def test_the_feature_route_needs_the_views_that_it_names():
    seen = TEACHERS.configure(VariantRef(name="clip_video", route="features", features=("text",)))
    assert seen.needs() == {"text"}
    assert TEACHERS.configure(VariantRef(name="clip_video", features=("text",))).needs() == {"frames"}


def test_data_without_a_feature_view_are_refused_by_name():
    deaf = replace(DATA.info, audio_width=None, views=DATA.info.views - {"audio"})
    with pytest.raises(ValueError, match="no audio features"):
        build(info=deaf, route="features")


def test_clips_without_frames_are_refused():
    with pytest.raises(ValueError, match="needs frames"):
        build()(DATA.test.only(frozenset({"vision"})))


def test_the_feature_route_carries_no_vision_tower():
    assert not [name for name, _ in build(route="features").named_parameters() if "visual" in name]


def test_frames_of_another_size_are_resized():
    large, model = film(size=48), build()
    assert model(large).score.isfinite().all()
    grey = replace(large, frames=replace(large.frames, values=torch.full_like(large.frames.values, 99)))
    same = film(size=16)
    same = replace(same, frames=replace(same.frames, values=torch.full_like(same.frames.values, 99)))
    assert_close(model(grey).score, model(same).score, atol=1e-4, rtol=1e-4)


def test_a_small_tower_opens_no_connection(monkeypatch):
    def refuse(*address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert build()(film()).score.isfinite().all()


def test_a_real_checkpoint_gives_open_clips_own_vectors(tmp_path):
    file = tmp_path / "weights.pt"
    clip = checkpoint(REAL, file)
    model = build(tower=REAL, weights=str(file))
    file.unlink()  # 170 MB, and temporary folders outlive the run
    batch = film(clips=1, steps=2, size=224, lengths=(2,))
    look = clip.visual.preprocess_cfg
    preprocess = open_clip.image_transform(224, is_train=False, mean=look["mean"], std=look["std"])
    pictures = [Image.fromarray(frame.permute(1, 2, 0).numpy()) for frame in batch.frames.values[0]]
    with torch.inference_mode():
        images = clip.encode_image(torch.stack([preprocess(picture) for picture in pictures]))
        prompts = clip.encode_text(open_clip.get_tokenizer(REAL)(list(PROMPTS)))
        found = model(batch)
        assert_close(found.embedding[0], images.mean(0), atol=1e-4, rtol=1e-3)
        assert_close(model.prompts, prompts, atol=1e-4, rtol=1e-3)
        logits = clip.logit_scale.exp() * normalize(images.mean(0), dim=0) @ normalize(prompts, dim=1).T
        assert_close(found.class_logits[0], logits, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", SMALL)
def test_weights_are_found_under_every_kind_of_tower(name, small, tmp_path):
    clip = checkpoint(name, tmp_path / "weights.pt")
    model = build(tower=name, weights=str(tmp_path / "weights.pt"))
    pixels = film(size=SMALL[name]["image_size"]).frames.values[0]
    mean, std = (
        torch.tensor(clip.visual.preprocess_cfg[part]).view(3, 1, 1) for part in ("mean", "std")
    )
    assert_close(model.tower.image_vectors(pixels), clip.encode_image((pixels / 255 - mean) / std))


@pytest.mark.parametrize("name", SMALL)
def test_a_frozen_vision_tower_says_the_same_after_training(name, small):
    model, batch = build(tower=name, train_vision_tower=False), film(size=SMALL[name]["image_size"])
    before = model(batch).embedding
    model.train()
    model(batch).score.sum().backward()
    assert model.eval()(batch).embedding.equal(before)
    assert model.train()(batch).embedding.equal(before)


def test_weights_of_another_architecture_are_refused(small, tmp_path):
    checkpoint("small-vit", tmp_path / "weights.pt")
    with pytest.raises(BadInput, match=r"weights: .*weights\.pt.* of small-resnet cannot be loaded"):
        build(tower="small-resnet", weights=str(tmp_path / "weights.pt"))


@pytest.mark.parametrize(
    ("name", "content"), [("a.pt", b"no weights"), ("a.pt", b""), ("a.safetensors", b"x" * 20)]
)
def test_a_file_that_is_no_checkpoint_is_refused(name, content, small, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=r"weights: .*cannot be loaded"):
        build(tower="small-vit", weights=str(tmp_path / name))


def test_a_captioner_is_refused_as_a_tower(small):
    with pytest.raises(BadInput, match=r"tower: .*small-coca.* caption"):
        build(tower="small-coca")


def test_a_tower_whose_tokenizer_cannot_be_had_is_refused(small):
    with pytest.raises(BadInput, match="tower: small-untold cannot be loaded: "):
        build(tower="small-untold")


def test_an_unknown_tower_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match=r"tower: .*'ViT-B32'; did you mean 'ViT-B-32'"):
        build(tower="ViT-B32")


def test_unknown_weights_are_answered_with_the_nearest_tag():
    with pytest.raises(
        BadInput, match=r"weights: 'opena1' is neither a file nor .*did you mean 'openai'"
    ):
        build(tower="ViT-B-32", weights="opena1")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"prompts": ("bad", "good")}, "prompts: .*at least 3"),
        ({"prompts": "a person"}, "prompts: "),
        ({"route": "features", "features": ()}, "features: .*at least 1"),
        ({"features": ("frames",)}, "features"),
        ({"route": "film"}, "route: "),
        ({"heads": 3}, "multiples of heads, given 3"),
        ({"weights": "openai"}, "weights belong to a named tower"),
    ],
)
def test_what_cannot_be_built_is_refused(changes, told):
    with pytest.raises(BadInput, match=told):
        build(**changes)


def test_the_table_says_where_the_weights_come_from(small, tmp_path):
    assert build().notes() == ("teacher tower: small CLIP, random weights",)
    file = tmp_path / "weights.pt"
    checkpoint("small-vit", file)
    assert build(tower="small-vit", weights=str(file)).notes() == (f"teacher tower: small-vit, {file}",)
