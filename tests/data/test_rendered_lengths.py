"""Rendered clips of several lengths: what grows with a clip, and what does not depend on its length."""

from collections import Counter
from dataclasses import asdict

import av
import numpy as np
import pytest
import torch
from clip_folder import files
from scipy.stats import chisquare

from harness.data.clips.media import read_media
from harness.data.parts.streams import stream
from harness.data.rendered.config import Rendering
from harness.data.rendered.face import draw_head, pictures
from harness.data.rendered.script import script
from harness.data.rendered.voice import Throat, sound
from harness.data.rendered_sentiment import RenderedSentiment
from harness.registry import DATASETS
from harness.spec import BadInput, Condition

ENTRY = DATASETS.get("rendered_sentiment")
FEW = {"train_clips": 4, "valid_clips": 2, "test_clips": 6}
SPLITS = ("train", "valid", "test")


def make(folder, **changes):
    return RenderedSentiment(ENTRY.configure({**ENTRY.tiny, **FEW, "path": folder, **changes}))


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """The folder of a set whose clips have 4 to 12 pictures; read only."""
    folder = tmp_path_factory.mktemp("uneven") / "set"
    make(folder, longest=12).prepare()
    return folder


def test_lengths_lie_evenly_between_the_shortest_and_the_longest():
    config = Rendering(frames=4, longest=9)
    counts = Counter(config.clip_frames(f"v{row}", "c") for row in range(3000))
    assert sorted(counts) == [4, 5, 6, 7, 8, 9]
    assert chisquare(list(counts.values())).pvalue > 0.01


def test_a_set_whose_longest_clip_is_the_shortest_is_the_set_of_one_length(tmp_path):
    for name, changes in (("one", {}), ("same", {"longest": 4})):
        make(tmp_path / name, **changes).prepare()
    one, same = (files(tmp_path / name) for name in ("one", "same"))
    told = {"manifest.json"}
    assert {name: one[name] for name in one.keys() - told} == {
        name: same[name] for name in same.keys() - told
    }


def test_clips_have_as_many_pictures_as_drawn_and_sound_as_long_as_these(uneven):
    config = make(uneven, longest=12).config
    seen = set()
    for line in script(config):
        with av.open(str(uneven / line.file)) as container:
            count = sum(1 for _ in container.decode(video=0))
        assert count == config.clip_frames(line.video_id, line.clip_id)
        heard = read_media(uneven / line.file, frames=1, size=16, sample_rate=16000).sound
        # AAC rounds up to whole blocks of 1024 samples, and has one to begin with.
        assert 0 <= len(heard) - 16000 * count / config.fps <= 2 * 1024
        seen.add(count)
    assert len(seen) > 3


def test_generated_words_are_in_proportion_to_the_pictures_and_at_least_one():
    for words in (12, 5, 1):
        config = Rendering(clip_words=words, longest=20, train_clips=60)
        for line in script(config):
            count = config.clip_frames(line.video_id, line.clip_id)
            assert len(line.text.split()) == max(1, round(words * count / 8))


def test_scores_and_labels_do_not_depend_on_lengths():
    even, uneven = (script(Rendering(longest=longest)) for longest in (None, 30))
    for a, b in zip(even, uneven, strict=True):
        assert {**asdict(a), "text": ""} == {**asdict(b), "text": ""}


def test_a_longer_clip_begins_as_the_shorter_one():
    config = Rendering(size=16)
    head, throat = draw_head(stream(1)), Throat(pitch_hz=180, tilt=1.2)
    short, long = (pictures(config, head, 1.0, stream(2), count) for count in (8, 21))
    assert long.shape == (21, 16, 16, 3)
    assert np.array_equal(long[:8], short)
    short, long = (sound(config, throat, 1.0, stream(2), count) for count in (8, 21))
    assert len(long) == round(21 * 16000 / 8)
    assert np.array_equal(long[: len(short)], short)


def test_real_sentences_stay_as_they_are(tmp_path):
    rows = [f"{mode}{n},0,Said {n} times {'so ' * n},0.5,x,{mode}" for mode in SPLITS for n in range(6)]
    table = tmp_path / "spoken.csv"
    table.write_text("\n".join(["video_id,clip_id,text,label,annotation,mode", *rows]) + "\n")
    given = {"sentences": "label_csv", "sentences_path": table}
    texts = []
    for changes in ({}, {"longest": 16}):
        reader = make(None, **given, **changes)
        texts.append([line.text for line in reader.config.source().lines(reader.config)])
    assert texts[0] == texts[1]
    assert len(set(texts[0])) > 2


def test_so_many_frames_are_read_evenly_of_each_clip(uneven):
    for changes, count in (({}, 4), ({"frames_read": 3}, 3), ({"frames_read": 1}, 1)):
        reader = make(uneven, longest=12, **changes)
        data = reader.load()
        assert data.test.frames.values.shape[:2] == (6, count)
        assert data.info.vision_steps == count
        for clip, frames in zip(data.test.ids, data.test.frames.values, strict=True):
            media = read_media(reader.clip_file(clip), frames=count, size=32, sample_rate=16000)
            assert np.array_equal(frames.permute(0, 2, 3, 1), media.frames)
        assert len(data.test.audio.lengths.unique()) > 2


def test_how_many_frames_are_read_does_not_decide_where_clips_are_kept(uneven):
    few, all_, longer = (
        make(None, **changes).folder()
        for changes in ({"longest": 12, "frames_read": 2}, {"longest": 12}, {"longest": 13})
    )
    assert few == all_ != longer
    assert (
        make(uneven, longest=12, frames_read=2).fingerprint() == make(uneven, longest=12).fingerprint()
    )


@pytest.mark.parametrize(
    ("kind", "level", "modality", "view"),
    [("audio_noise", 1.0, "audio", "audio"), ("blur", 2.0, "vision", "frames")],
)
def test_noise_falls_on_clips_of_any_length(uneven, kind, level, modality, view):
    reader = make(uneven, longest=12, frames_read=3)
    data = reader.load()
    noisy, same = (
        reader.degraded(data, Condition(kind=kind, level=each, modalities=(modality,)))
        for each in (level, 0)
    )
    found, before = getattr(noisy, view), getattr(data.test, view)
    assert torch.equal(found.mask, before.mask)
    assert not torch.equal(found.values, before.values)
    assert torch.equal(getattr(same, view).values, before.values)


def test_lengths_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match="longest: expected at least frames 4, given 3"):
        make(None, longest=3)
    with pytest.raises(BadInput, match="frames_read: expected at most frames 4, given 5"):
        make(None, frames_read=5)
