"""Clips read stage by stage: what is made of them, what is left undone, what is said of damage."""

import io
import shutil
from itertools import combinations

import av
import numpy as np
import pytest
import torch

from harness.contracts import ReadsClips
from harness.data.clips import media, tracks
from harness.data.clips.media import read_media, read_sound
from harness.data.mmsa import Mmsa
from harness.data.raw_clips import RawClips
from harness.data.rendered_events import RenderedEvents
from harness.data.rendered_sentiment import RenderedSentiment
from harness.registry import DATASETS
from harness.spec import BadInput

RECORDED = ("frames", "vision", "audio")
UNEVEN = {"train_clips": 6, "valid_clips": 2, "test_clips": 8, "longest": 14, "frames_read": 3}
EVENTS = {"train_clips": 10, "valid_clips": 10, "test_clips": 10}
STAGES = {
    "frames": ["read", "decode", "sample"],
    "vision": ["read", "decode", "sample", "visual_features"],
    "audio": ["read", "decode", "audio", "acoustic_features"],
}


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """A set whose clips have different lengths, and its data."""
    folder = tmp_path_factory.mktemp("uneven") / "set"
    reader = RenderedSentiment(configured("rendered_sentiment", folder, **UNEVEN))
    return reader, reader.load()


def configured(name, folder, **changes):
    entry = DATASETS.get(name)
    return entry.configure({**entry.tiny, "path": folder, **changes})


def through(reading, ids):
    value = tuple(ids)
    for _, step in reading.steps:
        value = step(value)
    return value


def stages(reading):
    return [stage for stage, _ in reading.steps]


def assert_equal_views(found, batch, views):
    assert set(found) == set(views)
    for view in views:
        expected = getattr(batch, view)
        assert found[view].values.dtype == expected.values.dtype
        assert torch.equal(found[view].values, expected.values), view
        assert torch.equal(found[view].mask, expected.mask), view


ASKED = [frozenset(views) for count in (1, 2, 3) for views in combinations(RECORDED, count)]


@pytest.mark.parametrize("views", ASKED, ids=lambda views: "+".join(sorted(views)))
@pytest.mark.parametrize("size", [1, 3])
def test_views_are_those_of_the_loaded_clips_bit_for_bit(uneven, views, size):
    reader, data = uneven
    reading = reader.reading(data, views)
    order = torch.tensor([5, 0, 7, 3, 1, 6, 2, 4])
    for rows in order.split(size):
        expected = data.test.take(rows).only(views)
        assert_equal_views(through(reading, expected.ids), expected, views)
    assert len(data.test.audio.lengths.unique()) > 2


def test_raw_clips_and_events_are_read_like_that_too(rendered, tmp_path):
    clips = RawClips(configured("raw_clips", rendered))
    events = RenderedEvents(configured("rendered_events", tmp_path / "events", **EVENTS))
    rows = torch.tensor([3, 0])
    for reader in (clips, events):
        data = reader.load()
        found = through(reader.reading(data, frozenset(RECORDED)), data.test.take(rows).ids)
        assert_equal_views(found, data.test.take(rows), RECORDED)


def test_features_that_are_not_standardised_are_read_as_they_are(rendered):
    reader = RawClips(configured("raw_clips", rendered, standardise="none"))
    data = reader.load()
    found = through(reader.reading(data, frozenset(RECORDED)), data.test.ids)
    assert_equal_views(found, data.test, RECORDED)


@pytest.mark.parametrize("views", ASKED, ids=lambda views: "+".join(sorted(views)))
def test_the_stages_are_those_that_the_views_need_in_their_order(uneven, views):
    reader, data = uneven
    order = ["read", "decode", "sample", "audio", "visual_features", "acoustic_features"]
    needed = {stage for view in views for stage in STAGES[view]}
    assert stages(reader.reading(data, views)) == [stage for stage in order if stage in needed]


@pytest.mark.parametrize(
    ("views", "kinds"), [({"audio"}, {"audio"}), ({"frames"}, {"video"}), ({"vision"}, {"video"})]
)
def test_no_track_is_decoded_that_no_view_asks_for(uneven, views, kinds, monkeypatch):
    reader, data = uneven
    opened, track = set(), tracks._track

    def spied(container, kind, file):
        opened.add(kind)
        return track(container, kind, file)

    monkeypatch.setattr(tracks, "_track", spied)
    through(reader.reading(data, frozenset(views)), data.test.ids[:2])
    assert opened == kinds


def damaged(content, kind):
    """The same file with the data of one track overwritten; the container stays whole."""
    with av.open(io.BytesIO(content)) as container:
        track = getattr(container.streams, kind)[0]
        places = [(packet.pos, packet.size) for packet in container.demux(track) if packet.size]
    broken = bytearray(content)
    for start, size in places:
        broken[start : start + size] = bytes([255]) * size
    return bytes(broken)


@pytest.mark.parametrize(
    ("kind", "view", "other"), [("video", "audio", "frames"), ("audio", "frames", "audio")]
)
def test_a_view_can_be_read_of_a_clip_whose_other_track_is_damaged(
    rendered, tmp_path, kind, view, other
):
    folder = shutil.copytree(rendered, tmp_path / "clips")
    reader = RawClips(configured("raw_clips", folder))
    data = reader.load()
    file = reader.clip_file(data.test.ids[4])
    file.write_bytes(damaged(file.read_bytes(), kind))
    rows = torch.tensor([4])
    whole = reader.reading(data, frozenset({view}))
    assert_equal_views(through(whole, data.test.take(rows).ids), data.test.take(rows), [view])
    with pytest.raises(BadInput, match="cannot be decoded"):
        through(reader.reading(data, frozenset({other})), data.test.take(rows).ids)


def test_only_chosen_pictures_are_resized(uneven, monkeypatch):
    reader, data = uneven
    converted, decoded = [], []
    to_frames, see = media.to_frames, tracks._Eye.see
    monkeypatch.setattr(
        "harness.data.clips.staged.to_frames",
        lambda p, size: converted.append(len(p)) or to_frames(p, size),
    )
    monkeypatch.setattr(tracks._Eye, "see", lambda eye, p: decoded.append(p) or see(eye, p))
    through(reader.reading(data, frozenset({"frames"})), data.test.ids)
    assert converted == [3] * 8
    assert len(decoded) > 4 * 8


def test_a_container_that_errs_about_its_pictures_is_read_as_one_that_does_not(rendered, monkeypatch):
    file = next(rendered.glob("Raw/test*/*.mp4"))
    expected = read_media(file, frames=2, size=16, sample_rate=8000)
    watch, told, passes = tracks._watch, [], []

    def erring(content, file, frames, expected, sound):
        passes.append(expected)
        return watch(content, file, frames, told[0] if expected is None else expected, sound)

    monkeypatch.setattr(tracks, "_watch", erring)
    for count, needed in ((4, 1), (0, 2), (3, 2), (1, 2), (900, 2)):
        told[:], passes[:] = [count], []
        found = read_media(file, frames=2, size=16, sample_rate=8000)
        assert np.array_equal(found.frames, expected.frames)
        assert np.array_equal(found.sound, expected.sound)
        assert len(passes) == needed


def test_a_container_that_does_not_count_its_pictures_gives_the_same_frames(rendered):
    file = next(rendered.glob("Raw/test*/*.mp4"))
    other = io.BytesIO()
    with av.open(str(file)) as source, av.open(other, "w", format="matroska") as target:
        track = source.streams.video[0]
        copy = target.add_stream_from_template(track)
        for packet in source.demux(track):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    with av.open(io.BytesIO(other.getvalue())) as copied:
        assert copied.streams.video[0].frames == 0
    found, expected = (
        tracks.decode(content, file, frames=3, sound=False).pictures
        for content in (other.getvalue(), file.read_bytes())
    )
    assert len(found) == 3
    for ours, theirs in zip(found, expected, strict=True):
        assert np.array_equal(ours.to_ndarray(), theirs.to_ndarray())


@pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
@pytest.mark.parametrize("view", ["frames", "audio"])
def test_damage_is_said_as_loading_says_it(rendered, tmp_path, damage, view):
    folder = shutil.copytree(rendered, tmp_path / "clips")
    reader = RawClips(configured("raw_clips", folder))
    data = reader.load()
    reading = reader.reading(data, frozenset({view}))
    file = reader.clip_file(data.test.ids[2])
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    if damage == "gone":
        file.unlink()
    said = []
    for fails in (lambda: through(reading, data.test.ids[2:3]), reader.load):
        with pytest.raises(BadInput, match=r"Raw/test0001/0000\.mp4: path: ") as caught:
            fails()
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_notes_name_the_decoder_with_its_threads_and_the_extractors(uneven):
    reader, data = uneven
    decoder, way, *features = reader.reading(data, frozenset(RECORDED)).notes
    assert decoder.startswith(f"decoded by PyAV {av.__version__}, FFmpeg ")
    assert decoder.endswith(": h264 with 1 thread, aac with 1 thread")
    assert way == "clips of one call are read one after the other, all of each track is decoded"
    assert len(features) == 2
    assert reader.reading(data, frozenset({"frames"})).notes == (
        decoder.removesuffix(", aac with 1 thread"),
        way,
    )
    assert dict(reader.reading(data, frozenset(RECORDED)).networks) == {}


def test_sound_for_speech_recognition_is_that_of_the_clip_at_any_rate(uneven):
    reader, data = uneven
    for rate in (8000, 16000):
        heard = reader.hearing(rate)
        assert stages(heard) == ["read", "decode", "audio"]
        sounds = through(heard, data.test.ids[:3])
        for clip, sound in zip(data.test.ids, sounds, strict=False):
            assert np.array_equal(sound, read_sound(reader.clip_file(clip), sample_rate=rate))
    assert heard.notes[0].endswith(": aac with 1 thread")


def test_nothing_is_read_for_no_view_and_captions_are_no_recording(uneven):
    reader, data = uneven
    assert reader.reading(data, frozenset()).steps == ()
    with pytest.raises(ValueError, match=r"views of a recording \(audio, frames, vision\), given text"):
        reader.reading(data, frozenset({"text"}))


def test_readers_of_clips_can_be_read_step_by_step_and_a_reader_of_features_cannot():
    readers = (RawClips, RenderedSentiment, RenderedEvents, Mmsa)
    assert [issubclass(reader, ReadsClips) for reader in readers] == [True, True, True, False]


def test_a_clip_is_as_long_as_its_pictures(uneven):
    reader, data = uneven
    for clip in data.test.ids:
        with av.open(str(reader.clip_file(clip))) as container:
            pictures = sum(1 for _ in container.decode(video=0))
        # AAC rounds the sound up to whole blocks of 1024 samples, and has one to begin with.
        assert 0 <= reader.clip_seconds(clip) - pictures / 8 < 3 * 1024 / 16000
