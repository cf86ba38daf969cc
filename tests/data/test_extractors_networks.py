"""Features that networks make of clips, at tiny sizes."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch.testing import assert_close
from torchvision.transforms.functional import normalize, resize, to_tensor
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

from harness.data.clips.extractors import extractors
from harness.data.clips.extractors.identity import extractors_identity
from harness.data.clips.features import ClipFeatures
from harness.data.raw_clips import RawClips, RawClipsConfig
from harness.spec import BadInput

FRAMES = np.random.default_rng(0).integers(0, 256, (20, 24, 24, 3)).astype(np.uint8)
SOUND = np.random.default_rng(1).normal(0.3, 0.1, 8000).astype(np.float32)
VISION = {"image_size": 16, "patch_size": 8, "width": 16, "head_width": 8, "layers": 2}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}


@pytest.fixture(scope="module", autouse=True)
def _small_tower(tmp_path_factory):
    folder = tmp_path_factory.mktemp("towers")
    sizes = {"embed_dim": 12, "vision_cfg": VISION, "text_cfg": TEXT}
    (folder / "extractor-vit.json").write_text(json.dumps(sizes))
    (folder / "extractor-coca.json").write_text(json.dumps({**sizes, "multimodal_cfg": TEXT}))
    open_clip.add_model_config(folder)


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    torch.manual_seed(3)
    Wav2Vec2Model(Wav2Vec2Config(**SMALL)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


def pictures(**changes):
    config = ClipFeatures(visual_features="clip", **{"visual_tower": "extractor-vit", **changes})
    return extractors(config, frozenset({"vision"}))


def sounds(folder):
    config = ClipFeatures(acoustic_features="wav2vec2", acoustic_weights=str(folder))
    return extractors(config, frozenset({"audio"}))


def checkpoint(file):
    torch.manual_seed(1)
    clip = open_clip.create_model("extractor-vit").eval()
    torch.save({"state_dict": clip.state_dict()}, file)
    return clip


@torch.no_grad()
def test_image_vectors_are_those_of_open_clip_on_pictures_as_torchvision_prepares_them(tmp_path):
    clip = checkpoint(tmp_path / "clip.pt")
    found = pictures(visual_weights=str(tmp_path / "clip.pt"))
    mean, sd = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
    # In floats, without the rounding to whole grey levels that Pillow's resizing ends in.
    seen = [resize(to_tensor(Image.fromarray(frame)), [16, 16], 3, antialias=True) for frame in FRAMES]
    expected = clip.encode_image(torch.stack([normalize(one.clamp(0, 1), mean, sd) for one in seen]))
    assert_close(torch.from_numpy(found.visual(FRAMES)), expected, atol=1e-5, rtol=1e-4)
    assert found.vision_width == 12
    assert found.notes()[0].startswith("visual features: open_clip extractor-vit, weights ")


def test_random_towers_are_the_same_whoever_draws_before_and_move_nobodys_draws():
    torch.manual_seed(0)
    first, after = pictures().visual(FRAMES), torch.rand(3)
    torch.manual_seed(0)
    assert_close(after, torch.rand(3), atol=0, rtol=0)
    assert pictures().visual(FRAMES).tobytes() == first.tobytes()
    assert pictures().notes() == (
        "visual features: open_clip extractor-vit, random weights, 12 a frame",
    )


def test_the_tower_that_is_charged_is_that_of_open_clip_without_words():
    (network,) = pictures().networks.values()
    whole = open_clip.create_model("extractor-vit", force_custom_text=True)
    shapes = {name: tensor.shape for name, tensor in whole.visual.state_dict().items()}
    assert {name: tensor.shape for name, tensor in network.state_dict().items()} == shapes


def test_a_clip_has_the_same_features_in_whatever_thread_it_is_read(speech):
    seen, heard = pictures(), sounds(speech)
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda _: seen.visual(FRAMES), range(4)):
            assert found.tobytes() == seen.visual(FRAMES).tobytes()
        for found in pool.map(lambda _: heard.acoustic(SOUND, 16000), range(4)):
            assert found.tobytes() == heard.acoustic(SOUND, 16000).tobytes()


@torch.no_grad()
@pytest.mark.parametrize("normalised", [True, False])
def test_speech_has_the_states_of_transformers_after_its_own_extractor(speech, tmp_path, normalised):
    model = Wav2Vec2Model.from_pretrained(speech).eval()
    model.save_pretrained(tmp_path)
    prepare = Wav2Vec2FeatureExtractor(do_normalize=normalised)
    prepare.save_pretrained(tmp_path)
    values = prepare(SOUND, sampling_rate=16000, return_tensors="pt").input_values
    found = sounds(tmp_path)
    assert_close(
        torch.from_numpy(found.acoustic(SOUND, 16000)),
        model(values).last_hidden_state[0],
        atol=1e-4,
        rtol=1e-4,
    )
    assert found.audio_width == 16
    assert found.notes()[0].endswith(f"weights {tmp_path}, 16 every 20 ms")


def test_a_step_of_speech_hears_25_ms_and_the_next_begins_20_ms_later(speech):
    hear = sounds(speech)
    assert len(hear.acoustic(SOUND[:400], 16000)) == 1
    assert len(hear.acoustic(SOUND[:719], 16000)) == 1
    assert len(hear.acoustic(SOUND[:720], 16000)) == 2
    with pytest.raises(BadInput, match=r"acoustic_features: expected at least 25 ms of sound, found"):
        hear.acoustic(SOUND[:399], 16000)
    with pytest.raises(BadInput, match="sample_rate: wav2vec2 hears 16000 samples a second, given 8000"):
        hear.acoustic(SOUND, 8000)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"visual_tower": "ViT-B-33"}, r"visual_tower: open_clip has no .* did you mean 'ViT-B-32'"),
        ({"visual_tower": "extractor-coca"}, r"visual_tower: .*writes captions"),
        ({"visual_weights": "nowhere"}, r"visual_weights: 'nowhere' is neither a file nor a pretrained"),
    ],
)
def test_a_tower_that_cannot_be_had_is_told_before_and_while_it_is_built(changes, told):
    with pytest.raises(BadInput, match=told):
        pictures(**changes)
    config = ClipFeatures(visual_features="clip", **{"visual_tower": "extractor-vit", **changes})
    with pytest.raises(BadInput, match=told):
        extractors_identity(config)


def test_a_folder_without_speech_is_told(tmp_path, speech):
    with pytest.raises(BadInput, match=r"acoustic_weights: expected a local folder .*given '.*gone'"):
        sounds(tmp_path / "gone")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(BadInput, match=r"acoustic_weights: .* holds a bert, expected a wav2vec2"):
        sounds(tmp_path)
    Wav2Vec2Config(**SMALL).save_pretrained(tmp_path)
    with pytest.raises(BadInput, match=r"acoustic_weights: .*preprocessor_config.json"):
        sounds(tmp_path)
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(BadInput, match=r"acoustic_weights: .* cannot be loaded: "):
        sounds(tmp_path)


def test_weights_that_are_missing_are_not_drawn_in_silence(speech, tmp_path):
    model = Wav2Vec2Model.from_pretrained(speech)
    state = {name: one for name, one in model.state_dict().items() if "layers.1" not in name}
    model.save_pretrained(tmp_path, state_dict=state)
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(BadInput, match=r"acoustic_weights: .*no weights for encoder\.layers\.1"):
        sounds(tmp_path)


def test_other_weights_of_the_same_name_are_another_identity(tmp_path):
    file = tmp_path / "clip.pt"
    config = ClipFeatures(visual_features="clip", visual_tower="extractor-vit", visual_weights=str(file))
    clip = checkpoint(file)
    before = extractors_identity(config)
    assert extractors_identity(config) == before
    torch.save({"state_dict": {**clip.state_dict(), "logit_scale": torch.tensor(1.0)}}, file)
    assert extractors_identity(config) != before


def test_raw_clips_seen_by_other_weights_are_other_data(clips, tmp_path):
    def reader(**changes):
        return RawClips(RawClipsConfig(path=clips, frames=2, size=32, grid=4, **changes))

    plain, tower = reader(), {"visual_features": "clip", "visual_tower": "extractor-vit"}
    file = tmp_path / "clip.pt"
    checkpoint(file)
    found = [reader(**tower), reader(**tower, visual_weights=str(file))]
    assert len({one.fingerprint() for one in (plain, *found)}) == 3
    data = found[1].load()
    assert data.info.vision_width == data.train.vision.width == 12
    assert data.findings[0].endswith(plain.fingerprint())
    with pytest.raises(BadInput, match="visual_weights: 'gone' is neither a file nor"):
        reader(**tower, visual_weights="gone").fingerprint()


@pytest.mark.parametrize(
    "given", [{"visual_weights": "openai"}, {"visual_features": "clip", "acoustic_weights": "here"}]
)
def test_weights_that_nobody_reads_are_refused(given):
    with pytest.raises(ValidationError, match=r"_weights: read by (clip|wav2vec2) alone, given '"):
        ClipFeatures(**given)


@pytest.mark.parametrize(
    ("features", "package"),
    [
        ({"visual_features": "efficientnet_lite0"}, "efficientnet_lite_pytorch"),
        ({"acoustic_features": "openwakeword"}, "openwakeword"),
    ],
)
def test_an_extra_that_is_missing_is_named(features, package, monkeypatch):
    monkeypatch.setattr("harness.nn.extras.find_spec", {sys.__name__: sys}.get)
    for ask in (extractors, extractors_identity):
        with pytest.raises(BadInput, match=r"_features: .*'adviserbench\[encoders\]'"):
            ask(ClipFeatures(**features))
