"""Clips of events: what is the class's, what is the video's, and what labels and captions say."""

import shutil
from collections import Counter

import numpy as np
import pytest
import torch
from clip_folder import files, rows
from scipy.stats import binomtest, chi2_contingency, kstest
from sklearn.linear_model import LogisticRegression

from harness.data.clips.media import read_media
from harness.data.events import build
from harness.data.events.captions import CLASSES, word_vectors
from harness.data.events.config import EventRendering
from harness.data.events.features import edge_histograms
from harness.data.events.scene import draw_scene
from harness.data.events.script import script
from harness.data.events.shapes import MOTIONS, OUTLINES, draw_look, pictures
from harness.data.events.timbres import TIMBRES, Voice, sound
from harness.data.parts.streams import stream
from harness.data.rendered_events import RenderedEvents, RenderedEventsConfig
from harness.registry import DATASETS
from harness.spec import BadInput

ENTRY = DATASETS.get("rendered_events")
SPLITS = ("train", "valid", "test")


def make(folder, **changes):
    return RenderedEvents(ENTRY.configure({**ENTRY.tiny, "path": folder, **changes}))


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """The folder of the tiny set; read only."""
    folder = tmp_path_factory.mktemp("events") / "set"
    make(folder).prepare()
    return folder


@pytest.fixture(scope="module")
def data(events):
    return make(events).load()


def test_the_set_goes_through_real_files_to_tensors(data):
    assert [len(split) for split in (data.train, data.valid, data.test)] == [40, 20, 20]
    assert data.train.frames.values.shape == (40, 4, 3, 32, 32)
    assert data.train.frames.values.dtype == torch.uint8
    for view in ("text", "vision", "audio"):
        seen = getattr(data.train, view).values
        assert seen.shape == (40, data.info.steps(view), data.info.width(view))
        assert seen.isfinite().all()
    assert data.train.target.dtype == torch.int64
    assert data.info.task == "retrieval"
    assert data.info.classes == CLASSES
    assert data.info.label_range == (0, 9)
    assert data.info.train_transcripts == data.train.transcripts


def test_labels_of_test_are_true_and_others_are_what_was_annotated(events, data):
    table = rows(events)
    for split in SPLITS:
        told = [int(row["label"]) for row in table if row["mode"] == split]
        assert getattr(data, split).target.tolist() == told
    assert all(row["label"] == row["true_label"] for row in table if row["mode"] == "test")
    false = sum(row["label"] != row["true_label"] for row in table if row["mode"] == "train")
    assert any(f"labels of another class: train {false} of 40" in line for line in data.findings)


def test_every_split_has_every_class_equally_often():
    for config in (EventRendering(), EventRendering(train_clips=25, valid_clips=17, clips_per_video=7)):
        for split in SPLITS:
            counts = Counter(event.true_label for event in script(config) if event.mode == split)
            assert len(counts) == len(CLASSES)
            assert max(counts.values()) - min(counts.values()) <= 1


def test_no_video_is_in_two_splits(data):
    homes = [set(batch.video_ids) for batch in (data.train, data.valid, data.test)]
    assert sum(map(len, homes)) == len(set.union(*homes)) == 20 + 10 + 10


def test_labels_err_as_often_as_configured_and_to_any_other_class_alike():
    for noise in (0.25, 0.6):
        told = [event for event in script(EventRendering(label_noise=noise)) if event.mode != "test"]
        steps = [(event.label - event.true_label) % 10 for event in told]
        assert np.mean([step > 0 for step in steps]) == pytest.approx(noise, abs=0.01)
        table = np.bincount(steps, minlength=10)[1:]
        assert chi2_contingency([table, np.full(9, table.mean())]).pvalue > 0.01


def test_other_noise_in_labels_changes_nothing_but_labels():
    noisy, exact = (script(EventRendering(label_noise=share)) for share in (0.5, 0.0))
    told = {"label", "annotation"}
    for a, b in zip(noisy, exact, strict=True):
        assert {k: v for k, v in vars(a).items() if k not in told} == {
            k: v for k, v in vars(b).items() if k not in told
        }
    assert all(event.label == event.true_label for event in exact)


def test_more_training_clips_leave_the_other_clips_as_they_were():
    few, many = (script(EventRendering(train_clips=count)) for count in (20, 60))
    assert many[:20] == few[:20]
    assert [event for event in many if event.mode != "train"] == few[20:]


def test_a_caption_names_the_true_class_once_and_no_other():
    for event in script(EventRendering()):
        named = [word for word in event.text.split() if word in CLASSES]
        assert named == [CLASSES[event.true_label]]
        assert len(event.text.split()) == 5


def test_a_word_has_one_vector_wherever_it_stands():
    first, second = word_vectors("the ring rings", 6), word_vectors("a ring", 6)
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[1], first[2])
    many = word_vectors(" ".join(CLASSES), 4000)
    assert np.abs(np.corrcoef(many) - np.eye(10)).max() < 0.1


def test_the_words_are_among_the_views(data):
    for text, vectors in zip(data.test.transcripts, data.test.text.values, strict=True):
        assert torch.equal(vectors, torch.from_numpy(word_vectors(text, 16)))


def test_the_scene_of_a_video_is_independent_of_the_classes_of_its_clips():
    config, events = EventRendering(), script(EventRendering())
    videos = {event.video_id for event in events}
    drawn = {video: draw_scene(config, stream(config.seed, "scene", video)) for video in videos}
    for name in ("tempo", "height", "size", "pitch", "level"):
        table = np.zeros((2, 10))
        for event in events:
            table[int(getattr(drawn[event.video_id], name) > 0), event.true_label] += 1
        assert chi2_contingency(table).pvalue > 0.01
        assert (
            kstest([getattr(scene, name) for scene in drawn.values()], "uniform", (-1, 2)).pvalue > 0.01
        )


def test_pitch_follows_height_as_often_as_configured():
    for shared in (0.0, 0.8, 1.0):
        config = EventRendering(shared=shared)
        scenes = [draw_scene(config, stream(0, "scene", row)) for row in range(500)]
        for one, other in (("height", "pitch"), ("size", "level")):
            agree = sum(getattr(scene, one) == getattr(scene, other) for scene in scenes)
            assert binomtest(agree, 500, shared).pvalue > 0.01


def test_shape_motion_and_timbre_of_a_clip_are_those_of_its_true_class(tmp_path, monkeypatch):
    shown, heard = [], []
    monkeypatch.setattr(build, "pictures", lambda c, look, label, r: shown.append(label))
    monkeypatch.setattr(build, "sound", lambda c, voice, label, r: heard.append(label))
    monkeypatch.setattr(build, "write_clip", lambda *_: None)
    config = EventRendering()
    events = script(config)[:50]
    for event in events:
        build.film(tmp_path, config, event)
    assert shown == heard == [event.true_label for event in events]
    assert len(CLASSES) == len(OUTLINES) == len(MOTIONS) == len(TIMBRES)


def clean(label, **scene):
    config = EventRendering(pixel_sd=0, contrast=0.5, size=64)
    random = stream(0, "look")
    look = draw_look(config, draw_scene(config, stream(0, "scene")), random)
    return config, pictures(config, look, label, stream(0, "pixels"))


def covered(frames):
    """(T, H, W) which pixels differ in brightness from the first pixel of the picture."""
    grey = frames.astype(float).mean(-1)
    return np.abs(grey - grey[:, :1, :1]) > 80


def test_a_ring_has_a_hole_and_a_circle_has_none():
    for label, hollow in ((4, True), (0, False)):
        ink = covered(clean(label)[1])[0]
        down, across = (round(where.mean()) for where in np.nonzero(ink))
        assert ink.any()
        assert ink[down, across] != hollow


def test_a_cross_breathes_and_a_square_does_not():
    areas = {label: covered(clean(label)[1]).sum((1, 2)) for label in (1, 3)}
    assert areas[3].max() > 1.5 * areas[3].min()
    assert areas[1].max() < 1.2 * areas[1].min()


def test_all_timbres_are_equally_loud_and_no_two_have_the_same_spectrum():
    config = EventRendering(hiss_sd=0)
    voice = Voice(pitch_hz=220, tempo_hz=1.2, level_db=0)
    spectra = []
    for label in range(10):
        heard = sound(config, voice, label, stream(0, "hiss", label))
        assert heard.shape == (16000,)
        assert np.sqrt(np.square(heard).mean()) == pytest.approx(0.1, rel=0.15)
        power = np.abs(np.fft.rfft(heard))[:8000].reshape(80, 100).mean(1)
        spectra.append(power / np.linalg.norm(power))
    likeness = np.array(spectra) @ np.array(spectra).T - np.eye(10)
    assert likeness.max() < 0.95


def test_the_directions_of_edges_are_told_and_colours_are_not():
    axis = np.arange(32)
    stripes = np.broadcast_to(128 + 80 * np.sin(axis[None, :, None] / 2), (32, 32, 3))
    upright, lying = stripes.astype(np.uint8), stripes.transpose(1, 0, 2).astype(np.uint8)
    found = edge_histograms(np.stack([upright, lying, upright // 2]), 4, 8, 0.0)
    assert found.shape == (3, 4 * 4 * 8)
    shares = np.square(found).reshape(3, 16, 8)
    assert np.allclose(shares.sum((1, 2)), 1)
    assert shares[0, :, 0].sum() > 0.99
    assert shares[1, :, 4].sum() > 0.99
    assert np.allclose(found[0], found[2], atol=0.05)
    assert not edge_histograms(np.full((1, 32, 32, 3), 7, np.uint8), 4, 8, 1.0).any()


def test_edges_of_a_turned_picture_are_those_of_the_picture_in_turned_cells():
    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    turned = np.rot90(picture, axes=(1, 2))
    upright, other = (edge_histograms(one, 4, 8, 1.0).reshape(4, 4, 8) for one in (picture, turned))
    assert np.allclose(np.roll(np.rot90(upright), 4, axis=2), other, atol=1e-5)


def test_a_linear_model_of_any_modality_tells_classes_apart(tmp_path):
    easy = {"pixel_sd": 0.05, "contrast": 0.4, "hiss_sd": 0.01, "pitch_octaves": 0.5, "text_width": 64}
    counts = {"train_clips": 80, "valid_clips": 10, "test_clips": 40, "label_noise": 0}
    data = make(tmp_path / "set", **easy, **counts).load()
    for view in ("audio", "vision", "text"):
        seen = {split: getattr(getattr(data, split), view).mean() for split in ("train", "test")}
        model = LogisticRegression(C=10, max_iter=500).fit(seen["train"], data.train.target)
        right = int((model.predict(seen["test"]) == data.test.target.numpy()).sum())
        assert binomtest(right, 40, 0.1, alternative="greater").pvalue < 1e-3


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(events, tmp_path):
    make(tmp_path / "again").prepare()
    assert files(tmp_path / "again") == files(events)
    make(tmp_path / "other", seed=1).prepare()
    assert make(tmp_path / "other", seed=1).fingerprint() != make(events).fingerprint()


def test_what_a_clip_shows_survives_the_encoder(events):
    row = rows(events)[0]
    media = read_media(
        events / f"Raw/{row['video_id']}/{row['clip_id']}.mp4", frames=4, size=32, sample_rate=16000
    )
    assert media.frames.shape == (4, 32, 32, 3)
    assert abs(len(media.sound) - 8000) < 2100


def test_a_damaged_or_foreign_folder_is_refused_by_name(events, tmp_path):
    clips = shutil.copytree(events, tmp_path / "clips")
    with pytest.raises(BadInput, match="made from other numbers"):
        make(clips, label_noise=0.1).prepare()
    clip = clips / "Raw/valid0001/0001.mp4"
    clip.write_bytes(clip.read_bytes() + b"!")
    with pytest.raises(BadInput, match=r"valid0001/0001\.mp4: path: altered since it was made"):
        make(clips).prepare()
    clip.unlink()
    with pytest.raises(BadInput, match=r"valid0001/0001\.mp4: path: no such file"):
        make(clips).load()


def test_how_clips_are_read_does_not_decide_where_they_are_kept():
    default, other, seed = (
        RenderedEvents(RenderedEventsConfig(**changes)).folder()
        for changes in ({}, {"mel_bands": 8, "grid": 6, "orientations": 12}, {"seed": 1})
    )
    assert default == other != seed
    assert default.parts[0] == "data"


def test_a_grid_that_does_not_divide_the_picture_is_refused():
    with pytest.raises(BadInput, match="grid: expected a divisor of size 48, given 5"):
        ENTRY.configure({"grid": 5})


def test_fewer_classes_are_the_first_of_ten_and_as_many_clips_each():
    config = RenderedEventsConfig(classes=4, train_clips=40, valid_clips=20, test_clips=20)
    events = script(config)
    assert Counter(event.true_label for event in events if event.mode == "train") == dict.fromkeys(
        range(4), 10
    )
    assert {event.label for event in events} <= set(range(4))
    assert all(event.label == event.true_label for event in events if event.mode == "test")
