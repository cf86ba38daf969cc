"""Named architectures under the CLIP teacher: their weights, their vectors, what they cannot do."""

import logging
import socket

import open_clip
import pytest
import torch
from huggingface_hub import constants
from open_clip import pretrained
from PIL import Image
from teacher_samples import PLAIN, SMALL, build, checkpoint, configure, film, picture_size
from torch.nn.functional import normalize
from torch.testing import assert_close

from harness.nn.clip.weights import offline
from harness.spec import BadInput
from harness.teachers.clip_video.config import PROMPTS

# The smallest architecture that open_clip knows by itself.
REAL = "ViT-S-32-alt"
WITHOUT_MESSAGES = ["small-resnet", "small-timm-vit", "small-timm-net"]
HUB = "someone/small-vit/weights.pt"


@pytest.fixture
def shut(monkeypatch):
    """A machine without a network, on which asking for one is an error."""

    def refuse(*address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def tagged(small, shut, tmp_path, monkeypatch):
    """A pretrained tag of small-vit with pixel statistics of its own, and an empty hub cache."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    tag = {"hf_hub": HUB, "url": "", "mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}
    monkeypatch.setitem(pretrained._PRETRAINED, "small-vit", {"some_tag": tag})
    return tmp_path


def into_cache(folder, name):
    """A checkpoint of that architecture where the hub's client keeps its files."""
    revision = "0" * 40
    kept = folder / "models--someone--small-vit"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text(revision)
    (kept / "snapshots" / revision).mkdir(parents=True)
    return checkpoint(name, kept / "snapshots" / revision / "weights.pt")


@pytest.mark.parametrize(
    ("name", "size"), [("small-vit", 16), pytest.param(REAL, 224, marks=pytest.mark.slow)]
)
def test_a_checkpoint_gives_open_clips_own_vectors(name, size, small, tmp_path):
    file = tmp_path / "weights.pt"
    clip = checkpoint(name, file)
    model = build(tower=name, weights=str(file), **PLAIN)
    file.unlink()  # up to 170 MB, and temporary folders outlive the run
    batch = film(clips=1, steps=2, size=size, lengths=(2,))
    look = clip.visual.preprocess_cfg
    preprocess = open_clip.image_transform(size, is_train=False, mean=look["mean"], std=look["std"])
    pictures = [Image.fromarray(frame.permute(1, 2, 0).numpy()) for frame in batch.frames.values[0]]
    with torch.inference_mode():
        images = clip.encode_image(torch.stack([preprocess(picture) for picture in pictures]))
        prompts = clip.encode_text(open_clip.get_tokenizer(name)(list(PROMPTS)))
        found = model(batch)
        assert_close(found.embedding[0], images.mean(0), atol=1e-4, rtol=1e-3)
        assert_close(model.prompts, prompts, atol=1e-4, rtol=1e-3)
        logits = clip.logit_scale.exp() * normalize(images.mean(0), dim=0) @ normalize(prompts, dim=1).T
        assert_close(found.class_logits[0], logits, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", SMALL)
def test_weights_are_found_under_every_kind_of_tower(name, small, tmp_path):
    clip = checkpoint(name, tmp_path / "weights.pt")
    model = build(tower=name, weights=str(tmp_path / "weights.pt"), **PLAIN)
    pixels = film(size=picture_size(name)).frames.values[0]
    mean, std = (
        torch.tensor(clip.visual.preprocess_cfg[part]).view(3, 1, 1) for part in ("mean", "std")
    )
    assert_close(model.tower.image_vectors(pixels), clip.encode_image((pixels / 255 - mean) / std))


@pytest.mark.parametrize("name", SMALL)
def test_patch_tokens_come_with_the_same_vectors(name, small):
    tower = build(tower=name, cross_frame=False).tower
    pixels = film(size=picture_size(name)).frames.values[0]
    vectors, patches = tower.image_parts(pixels)
    assert_close(vectors, tower.image_vectors(pixels))
    assert patches.shape[1:] == tower.patch_sizes()


def test_patch_tokens_are_those_of_the_last_block_before_the_final_norm(small):
    tower = build(tower="small-vit").tower
    seen = []
    tower.visual.transformer.resblocks[-1].register_forward_hook(lambda m, i, out: seen.append(out))
    _, patches = tower.image_parts(film().frames.values[0])
    assert_close(patches, seen[0][:, 1:])


@pytest.mark.parametrize("name", SMALL)
def test_every_kind_of_tower_can_have_the_parts_that_need_no_messages(name, small):
    model = build(tower=name, cross_frame=name == "small-vit", modalities=("video", "text"))
    batch = film(clips=2, steps=2, lengths=(2, 1), size=picture_size(name))
    model.train()(model.tokenise(batch)).score.sum().backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize("name", WITHOUT_MESSAGES)
def test_towers_without_a_reachable_class_token_have_no_cross_frame_communication(name, small):
    for ask in (lambda: build(tower=name), configure(tower=name).check):
        with pytest.raises(BadInput, match=r"cross_frame: .*set cross_frame: false"):
            ask()
    configure(tower=name, cross_frame=False).check()
    configure(tower=name, route="features").check()


def test_a_tower_without_patch_tokens_has_no_enhanced_prompts(small, monkeypatch):
    monkeypatch.delattr("timm.models.convnext.ConvNeXt.forward_intermediates")
    with pytest.raises(BadInput, match=r"enhanced_prompts: .*ConvNeXt does not give its patch tokens"):
        build(tower="small-timm-net", cross_frame=False)
    assert build(tower="small-timm-net", **PLAIN)


def test_a_tag_that_is_not_in_the_cache_is_not_downloaded(tagged):
    for ask in (build, lambda **changes: configure(**changes).check()):
        with pytest.raises(BadInput, match=rf"weights: .*not in the local hub cache.*nothing.*{HUB}"):
            ask(tower="small-vit", weights="some_tag")
    assert not list(tagged.iterdir())


def test_a_tag_in_the_cache_brings_its_weights_and_pixel_statistics(tagged):
    clip = into_cache(tagged, "small-vit")
    configure(tower="small-vit", weights="some_tag").check()
    model = build(tower="small-vit", weights="some_tag", **PLAIN)
    assert_close(model.tower.visual.proj, clip.visual.proj)
    assert_close(model.tower.pixel_mean.flatten(), torch.tensor([0.1, 0.2, 0.3]))
    assert_close(model.tower.pixel_std.flatten(), torch.tensor([0.4, 0.5, 0.6]))


def test_the_hub_is_as_it_was_after_a_tower_was_loaded(tagged):
    before = constants.HF_HUB_OFFLINE
    with pytest.raises(BadInput):
        build(tower="small-vit", weights="some_tag")
    assert constants.HF_HUB_OFFLINE is before
    with offline():
        assert constants.is_offline_mode()
    assert constants.HF_HUB_OFFLINE is before


def test_weights_of_another_activation_are_refused():
    with pytest.raises(BadInput, match=r"tower: .*'openai' were trained with quick GELU.*-quickgelu'"):
        configure(tower="ViT-B-32", weights="openai").check()


@pytest.mark.parametrize("of", ["small-resnet", "small-vit"])
@pytest.mark.parametrize("into", ["small-resnet", "small-vit"])
def test_weights_of_another_architecture_are_refused_with_a_tensor(of, into, small, tmp_path):
    file = tmp_path / "weights.pt"
    checkpoint(of, file)
    if of == into:
        assert build(tower=into, weights=str(file), **PLAIN)
        return
    told = rf"weights: .*weights\.pt.* of {into} cannot be loaded: the tensor 'visual\."
    with pytest.raises(BadInput, match=told):
        build(tower=into, weights=str(file), **PLAIN)


def test_weights_of_another_text_tower_are_refused_by_the_check_before_any_training(small, tmp_path):
    text = open_clip.get_model_config("small-vit")["text_cfg"]
    text = {**text, "width": 2 * text["width"]}
    checkpoint("small-vit", tmp_path / "weights.pt", text_cfg=text)
    with pytest.raises(BadInput, match=r"weights: .*of small-vit cannot be loaded: "):
        configure(tower="small-vit", weights=str(tmp_path / "weights.pt")).check()


def test_weights_of_another_width_are_refused_with_both_shapes(small, tmp_path):
    vision = {**SMALL["small-vit"], "width": 24}
    checkpoint("small-vit", tmp_path / "weights.pt", vision_cfg=vision)
    with pytest.raises(BadInput, match=r"weights: .*'visual\.\S+' is \[.*\] there and \[.*\] in this"):
        build(tower="small-vit", weights=str(tmp_path / "weights.pt"))


@pytest.mark.parametrize(
    ("name", "content"), [("a.pt", b"no weights"), ("a.pt", b""), ("a.safetensors", b"x" * 20)]
)
def test_a_file_that_is_no_checkpoint_is_refused(name, content, small, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=r"weights: .*cannot be loaded"):
        build(tower="small-vit", weights=str(tmp_path / name))


@pytest.mark.parametrize("content", [{}, [], 3, {"a": 1}, {"a": torch.zeros(2)}, torch.zeros(2), None])
def test_a_file_of_something_else_is_refused(content, small, tmp_path):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(BadInput, match=r"weights: .*cannot be loaded: \S"):
        build(tower="small-vit", weights=str(tmp_path / "a.pt"))


def test_a_captioner_is_refused_as_a_tower(small):
    with pytest.raises(BadInput, match=r"tower: .*small-coca.* caption"):
        build(tower="small-coca")


def test_a_tower_whose_tokenizer_cannot_be_had_is_refused(small, shut):
    with pytest.raises(BadInput, match="tower: the words of small-untold cannot be loaded: "):
        build(tower="small-untold")


def test_a_tower_whose_vocabulary_is_on_the_network_alone_is_refused(small, shut):
    with pytest.raises(BadInput, match=r"tower: the vocabulary of 'small-siglip' .*downloaded"):
        configure(tower="small-siglip").check()


def test_a_pretrained_text_tower_is_not_fetched_for_a_fresh_teacher(shut):
    with pytest.raises(BadInput, match="tower: the words of roberta-ViT-B-32 cannot be loaded: "):
        build(tower="roberta-ViT-B-32")


def test_an_unknown_tower_is_answered_with_the_nearest():
    for ask in (build, lambda **changes: configure(**changes).check()):
        with pytest.raises(BadInput, match=r"tower: .*'ViT-B32'; did you mean 'ViT-B-32'"):
            ask(tower="ViT-B32")


def test_unknown_weights_are_answered_with_the_nearest_tag():
    for ask in (build, lambda **changes: configure(**changes).check()):
        with pytest.raises(
            BadInput, match=r"weights: 'opena1' is neither a file nor .*did you mean 'openai'"
        ):
            ask(tower="ViT-B-32", weights="opena1")


def test_the_table_says_where_the_weights_come_from(small, tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    assert build().notes()[0] == "teacher tower: small CLIP, random weights"
    file = tmp_path / "weights.pt"
    checkpoint("small-vit", file)
    found = build(tower="small-vit", weights=str(file)).notes()[0]
    assert found == f"teacher tower: small-vit, {file}"
