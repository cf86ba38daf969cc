"""The pretrained encoders, beside what their packages compute."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from harness.data.clips.extractors import extractors
from harness.data.clips.features import ClipFeatures
from harness.data.encoders.efficientnet_lite0 import EfficientNetLite0
from harness.data.encoders.openwakeword import OpenWakeWord
from harness.spec import BadInput

pytestmark = pytest.mark.encoders
RATE = 16000


def noise(seconds=2.0):
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def ear():
    return OpenWakeWord()


@pytest.fixture(scope="module")
def eye():
    return EfficientNetLite0()


def test_sounds_have_the_embeddings_of_the_package(ear):
    from openwakeword.utils import AudioFeatures

    # The package takes 16-bit integers.
    integers = np.round(noise() * 32767).astype(np.int16)
    steps = AudioFeatures()._get_embeddings(integers)
    expected = np.concatenate([steps.mean(0), steps.std(0)])
    assert_close(ear.encode([noise()])[0], torch.from_numpy(expected), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("length", [0, 1, 400, RATE, 5 * RATE])
def test_a_sound_of_any_length_has_a_finite_vector(ear, length):
    found = ear.encode([noise(5)[:length]])
    assert found.shape == (1, 192)
    assert found.isfinite().all()


def test_a_sound_has_the_same_vector_among_others(ear):
    sounds = [noise(), noise(3), noise(1)]
    assert_close(ear.encode(sounds), torch.cat([ear.encode([sound]) for sound in sounds]))


def test_the_last_layer_of_the_package_makes_its_classes_of_our_features(eye):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.uint8)
    with torch.no_grad():
        network = eye._network
        seen = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128
        assert_close(network._fc(eye.encode(list(pixels))), network(seen), atol=1e-4, rtol=1e-4)


def test_a_photograph_of_a_chinese_temple_is_a_palace_of_imagenet(eye):
    from PIL import Image
    from sklearn.datasets import load_sample_image

    photograph = Image.fromarray(load_sample_image("china.jpg")).crop((0, 0, 427, 427))
    features = eye.encode([np.asarray(photograph.resize((224, 224)))])
    with torch.no_grad():
        best = eye._network._fc(features)[0].topk(3).indices.tolist()
    # 698 palace, 832 stupa.
    assert {698, 832} & set(best)


def test_what_an_encoder_is_names_versions_and_weights(ear, eye):
    assert "openwakeword 0.4.0 (ba2b0e0f8b7b8753, ba754db3cd768a52; onnxruntime" in ear.identity()
    assert eye.identity().endswith("579344248a93e230)")


def test_a_clips_features_are_the_encoders_own_before_they_are_one_vector(ear, eye):
    config = ClipFeatures(visual_features="efficientnet_lite0", acoustic_features="openwakeword")
    found = extractors(config)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3)).astype(np.uint8)
    assert_close(torch.from_numpy(found.visual(pictures)), eye.encode(list(pictures)))
    steps = torch.from_numpy(found.acoustic(noise(), RATE))
    assert_close(torch.cat([steps.mean(0), steps.std(0, correction=0)]), ear.encode([noise()])[0])
    assert (found.vision_width, found.audio_width) == (1280, steps.shape[1])


def test_a_sound_below_one_window_has_no_steps():
    found = extractors(ClipFeatures(acoustic_features="openwakeword"))
    assert found.acoustic(noise()[:12512], RATE).shape == (1, 96)
    with pytest.raises(BadInput, match="expected at least 782 ms of sound, found"):
        found.acoustic(noise()[:12511], RATE)
