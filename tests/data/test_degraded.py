"""Test clips with noise in their recordings: in the sound, or in the pictures."""

import os
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from harness.contracts import Degrades
from harness.data.clips.features import colour_grid, log_mel
from harness.data.clips.media import read_media, read_sound
from harness.data.clips.noise import blurred, hissing
from harness.data.mmsa import Mmsa
from harness.data.raw_clips import RawClips
from harness.data.rendered_sentiment import RenderedSentiment
from harness.registry import DATASETS
from harness.spec import BadInput, Condition
from harness.types import Padded

TONE = np.sin(np.arange(16000) / 7).astype(np.float32)
RAW = {"frames": 4, "size": 32, "grid": 4, "mel_bands": 8}


def raw(folder, **changes):
    return RawClips(DATASETS.get("raw_clips").configure({**RAW, "path": folder, **changes}))


def noise(level):
    return Condition(kind="audio_noise", level=level, modalities=("audio",))


def blur(level):
    return Condition(kind="blur", level=level, modalities=("vision",))


@pytest.fixture(scope="module")
def data(rendered):
    return raw(rendered).load()


def test_both_readers_of_clips_can_and_a_reader_of_features_cannot():
    readers = (RawClips, RenderedSentiment, Mmsa)
    assert [issubclass(reader, Degrades) for reader in readers] == [True, True, False]


def test_rendered_clips_get_the_noise_of_raw_clips(rendered, data):
    entry = DATASETS.get("rendered_sentiment")
    made = RenderedSentiment(entry.configure({**entry.tiny, "path": rendered}))
    for condition in (noise(1.0), blur(2.0)):
        ours, theirs = (reader.degraded(data, condition) for reader in (made, raw(rendered)))
        assert torch.equal(ours.audio.values, theirs.audio.values)
        assert torch.equal(ours.frames.values, theirs.frames.values)


@pytest.mark.parametrize("condition", [noise(0), blur(0)], ids=lambda condition: condition.kind)
def test_at_level_0_the_clips_are_those_of_the_test_to_the_last_bit(rendered, data, condition):
    found = raw(rendered).degraded(data, condition)
    for field in fields(found):
        ours, theirs = getattr(found, field.name), getattr(data.test, field.name)
        if isinstance(ours, Padded):
            assert torch.equal(ours.values, theirs.values), field.name
            assert torch.equal(ours.mask, theirs.mask), field.name
        else:
            assert ours is theirs, field.name


@pytest.mark.parametrize(
    ("condition", "touched"), [(noise(1.0), {"audio"}), (blur(2.0), {"frames", "vision"})]
)
def test_only_what_the_noise_falls_on_is_read_anew(rendered, data, condition, touched):
    found = raw(rendered).degraded(data, condition)
    for field in fields(found):
        is_same = getattr(found, field.name) is getattr(data.test, field.name)
        assert is_same == (field.name not in touched), field.name
    for view in touched:
        assert getattr(found, view).values.shape == getattr(data.test, view).values.shape
        assert not torch.equal(getattr(found, view).values, getattr(data.test, view).values)


def test_sound_is_the_same_whether_pictures_are_decoded_beside_it_or_not(rendered):
    for file in sorted(rendered.glob("Raw/test*/*.mp4")):
        whole = read_media(file, frames=4, size=32, sample_rate=16000)
        assert np.array_equal(read_sound(file, sample_rate=16000), whole.sound)


@pytest.mark.parametrize(("level", "decibel"), [(0.25, 12.04), (1.0, 0.0), (4.0, -12.04)])
def test_the_level_is_the_sd_of_the_noise_over_that_of_the_sound(level, decibel):
    # An offset is not heard, so it is not part of the sound's level.
    for sound in (TONE, TONE + 3):
        added = hissing(sound, level, "a$_$1") - sound
        assert added.std() / sound.std() == pytest.approx(level, rel=0.02)
        assert 20 * np.log10(sound.std() / added.std()) == pytest.approx(decibel, abs=0.2)


def test_the_noise_is_white():
    added = (hissing(TONE, 1.0, "a$_$1") - TONE) / TONE.std()
    power = np.abs(np.fft.rfft(added)[1:]) ** 2 / len(added)
    assert power.reshape(8, -1).mean(1) == pytest.approx(np.ones(8), abs=0.12)
    assert abs(np.corrcoef(added[:-1], added[1:])[0, 1]) < 0.03


def test_a_clip_has_one_noise_that_is_louder_at_higher_levels():
    soft, loud = (hissing(TONE, level, "a$_$1") - TONE for level in (0.5, 2.0))
    assert loud == pytest.approx(4 * soft, abs=1e-5)
    other = hissing(TONE, 2.0, "a$_$2") - TONE
    assert abs(np.corrcoef(loud, other)[0, 1]) < 0.03


def test_the_noise_of_an_id_is_the_same_on_every_machine():
    sound = np.array([1, -1, 1, -1], np.float32)
    added = hissing(sound, 1.0, "a$_$1") - sound
    assert added == pytest.approx([2.176364, 1.175491, -1.191389, 0.332134], abs=1e-6)


def test_silence_stays_silent_and_what_is_too_loud_is_not_clipped():
    assert (hissing(np.zeros(100, np.float32), 4.0, "a$_$1") == 0).all()
    assert np.abs(hissing(TONE, 4.0, "a$_$1")).max() > 5


def test_blur_is_that_of_scipy_one_channel_at_a_time():
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16), np.uint8)
    for sd in (0.5, 2.0, 9.0):
        theirs = [[gaussian_filter(c.astype(float), sd) for c in picture] for picture in frames]
        assert np.abs(blurred(frames, sd) - np.array(theirs)).max() < 0.5 + 1e-4


def test_a_point_spreads_as_a_gaussian_and_mirrors_at_the_border():
    frames = np.zeros((1, 3, 32, 32), np.uint8)
    frames[0, 1, 16, 16] = frames[0, 2, 0, 16] = 255
    seen = blurred(frames, 1.0)[0].astype(float)
    bell = np.exp(-0.5 * np.arange(-3, 4) ** 2)
    spot = 255 * np.outer(bell, bell) / bell.sum() ** 2
    assert (seen[0] == 0).all()
    assert seen[1, 13:20, 13:20] == pytest.approx(spot, abs=0.6)
    mirrored = spot[3:].copy()
    mirrored[:3] += spot[4:]
    assert seen[2, :4, 13:20] == pytest.approx(mirrored, abs=0.6)


@pytest.mark.parametrize("level", [0, 3, 255])
def test_a_picture_of_one_colour_cannot_be_out_of_focus(level):
    frames = np.full((2, 3, 16, 16), level, np.uint8)
    assert np.array_equal(blurred(frames, 5.0), frames)


def test_the_noise_falls_on_the_sound_and_features_are_computed_from_that(rendered):
    reader = raw(rendered, standardise="none")
    found = reader.degraded(reader.load(), noise(1.0))
    for row, clip in enumerate(found.ids):
        file = rendered / "Raw" / f"{clip.replace('$_$', '/')}.mp4"
        sound = read_media(file, frames=4, size=32, sample_rate=16000).sound
        expected = log_mel(hissing(sound, 1.0, clip), 16000, reader.config)
        assert np.array_equal(found.audio.values[row][found.audio.mask[row]], expected)


def test_vision_is_computed_from_the_blurred_frames(rendered):
    reader = raw(rendered, standardise="none")
    plain = reader.load()
    found = reader.degraded(plain, blur(2.0))
    for row in range(len(found)):
        frames = found.frames.values[row].numpy()
        assert np.array_equal(frames, blurred(plain.test.frames.values[row].numpy(), 2.0))
        colours = colour_grid(np.ascontiguousarray(frames.transpose(0, 2, 3, 1)), 4)
        assert np.array_equal(found.vision.values[row], colours)


@pytest.mark.parametrize(("condition", "view"), [(noise(1.0), "audio"), (blur(2.0), "vision")])
def test_features_are_scaled_by_what_train_shows_without_noise(rendered, data, condition, view):
    reader = raw(rendered, standardise="none")
    plain = reader.load()
    train = getattr(plain.train, view)
    steps = train.values[train.mask].double().numpy()
    sd = steps.std(0)
    sd[np.ptp(steps, 0) == 0] = 1
    unscaled = getattr(reader.degraded(plain, condition), view).values.numpy()
    found = getattr(raw(rendered).degraded(data, condition), view).values.numpy()
    np.testing.assert_allclose(found, (unscaled - steps.mean(0)) / sd, atol=1e-4)


@pytest.mark.parametrize("condition", [noise(1.0), blur(2.0)], ids=lambda condition: condition.kind)
def test_a_clip_has_the_same_noise_wherever_it_is_met(rendered, data, condition, monkeypatch):
    reader = raw(rendered)
    whole = reader.degraded(data, condition)
    some = torch.tensor([9, 2, 14])
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    found = reader.degraded(replace(data, test=data.test.take(some)), condition)
    assert found.ids == tuple(whole.ids[row] for row in some)
    for view in ("frames", "vision", "audio"):
        assert torch.equal(getattr(found, view).values, getattr(whole.take(some), view).values)


def test_a_clip_that_is_gone_since_it_was_loaded_is_named(clips):
    reader = raw(clips)
    loaded = reader.load()
    (clips / "Raw/test0003/0001.mp4").unlink()
    with pytest.raises(BadInput, match=r"Raw/test0003/0001\.mp4: path: no such file"):
        reader.degraded(loaded, noise(1.0))


def test_what_is_no_noise_of_a_recording_is_refused(rendered, data):
    asked = Condition(kind="random", level=0.5, modalities=("audio",))
    with pytest.raises(ValueError, match="or blur of clips with frames, given random"):
        raw(rendered).degraded(data, asked)
