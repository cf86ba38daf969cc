import json
import os
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from clip_folder import files, rows

from harness.data.clips.media import read_media
from harness.data.parts.streams import stream
from harness.data.rendered import build
from harness.data.rendered.config import Rendering
from harness.data.rendered.face import draw_head, pictures
from harness.data.rendered.script import script
from harness.data.rendered.sentences import vocabulary
from harness.data.rendered.voice import Throat, sound
from harness.data.rendered_sentiment import RenderedSentiment, RenderedSentimentConfig
from harness.registry import DATASETS
from harness.spec import BadInput

ENTRY = DATASETS.get("rendered_sentiment")


def make(folder, **changes):
    return RenderedSentiment(ENTRY.configure({**ENTRY.tiny, "path": folder, **changes}))


def test_the_set_goes_through_real_files_to_tensors(rendered):
    data = make(rendered).load()
    assert [len(split) for split in (data.train, data.valid, data.test)] == [24, 12, 16]
    assert data.train.frames.values.shape == (24, 4, 3, 32, 32)
    assert data.train.frames.values.dtype == torch.uint8
    assert data.train.vision.values.shape == (24, 4, data.info.vision_width)
    assert data.train.audio.values.shape[0::2] == (24, data.info.audio_width)
    assert data.info.train_transcripts == data.train.transcripts
    assert data.train.ids[0] == "train0000$_$0000"


def test_train_and_valid_targets_are_labels_and_test_targets_are_true_scores(rendered):
    data = make(rendered).load()
    table = rows(rendered)
    for split in ("train", "valid", "test"):
        batch = getattr(data, split)
        column = "true_score" if split == "test" else "label"
        expected = [float(row[column]) for row in table if row["mode"] == split]
        assert batch.target.tolist() == pytest.approx(expected)
    assert all(row["label"] == row["true_score"] for row in table if row["mode"] == "test")
    assert any(row["label"] != row["true_score"] for row in table if row["mode"] == "train")
    assert "test targets are true scores" in data.findings


def test_no_video_is_in_two_splits(rendered):
    data = make(rendered).load()
    homes = [set(batch.video_ids) for batch in (data.train, data.valid, data.test)]
    assert sum(map(len, homes)) == len(set.union(*homes)) == 12 + 6 + 8


def test_the_same_seed_gives_the_same_bytes(rendered, tmp_path):
    make(tmp_path / "again").prepare()
    assert files(tmp_path / "again") == files(rendered)


def test_another_seed_gives_other_scores_words_and_pictures(rendered, tmp_path):
    make(tmp_path / "other", seed=1).prepare()
    ours, theirs = rows(rendered), rows(tmp_path / "other")
    assert all(a["true_score"] != b["true_score"] for a, b in zip(ours, theirs, strict=True))
    assert make(tmp_path / "other", seed=1).fingerprint() != make(rendered).fingerprint()


def test_more_training_clips_leave_the_other_clips_as_they_were():
    few, many = (script(Rendering(train_clips=count)) for count in (10, 40))
    assert [line for line in many if line.mode != "train"] == [
        line for line in few if line.mode != "train"
    ]
    assert many[:10] == few[:10]


def test_less_noise_in_labels_changes_nothing_but_labels():
    noisy, exact = (script(Rendering(label_sd=sd)) for sd in (1.5, 0.0))
    told = {"label", "annotation"}
    for a, b in zip(noisy, exact, strict=True):
        assert {k: v for k, v in vars(a).items() if k not in told} == {
            k: v for k, v in vars(b).items() if k not in told
        }
    assert all(line.label == line.true_score for line in exact)


def test_annotators_err_by_the_configured_sd():
    # The middle of the range, where clipping to [-3, 3] hardly shows.
    lines = script(Rendering(train_clips=6000, label_sd=0.5, valid_clips=1, test_clips=1))
    errors = [line.label - line.true_score for line in lines[:6000] if abs(line.true_score) < 1]
    assert np.std(errors) == pytest.approx(0.5, rel=0.05)
    assert np.mean(errors) == pytest.approx(0, abs=0.05)


def test_words_follow_the_score_as_often_as_configured():
    config = Rendering(
        train_clips=2000, contradiction_rate=0, cue_rate=0.35, valid_clips=1, test_clips=1
    )
    known = vocabulary(config)
    polarity = dict(zip(known.words, known.polarity, strict=True))
    lines = script(config)[:2000]
    said = np.array([[polarity[word] for word in line.text.split()] for line in lines])
    assert said.shape == (2000, config.clip_words)
    score = np.array([line.true_score for line in lines])
    normal = np.exp(-0.5 * ((known.polarity - score[:, None]) / config.cue_sd) ** 2)
    cued = (normal * known.polarity).sum(1) / normal.sum(1)
    slope = np.polyfit(cued, said.mean(1), 1)[0]
    assert slope == pytest.approx(0.35, abs=0.02)


def test_contradicting_clips_are_as_frequent_as_configured_and_say_the_opposite():
    lines = script(Rendering(train_clips=4000, contradiction_rate=0.2, valid_clips=1, test_clips=1))[
        :4000
    ]
    against = [line for line in lines if line.label_T == -line.true_score]
    assert len(against) / len(lines) == pytest.approx(0.2, abs=0.02)
    assert all(abs(line.label_T) == abs(line.true_score) for line in lines)


def test_a_vocabulary_has_the_asked_number_of_different_words_over_the_whole_range():
    for count in (10, 60, 400, 1000):
        known = vocabulary(Rendering(words=count))
        assert len(set(known.words)) == len(known.polarity) == count
        assert np.abs(known.polarity).max() <= 3
        assert all(word.isalpha() for word in known.words)


def shown(score, folder):
    """Mean red minus blue in the middle of the decoded pictures, and the decoded sound."""
    config = Rendering(train_clips=1, valid_clips=1, test_clips=1)
    line = replace(script(config)[0], video_id="v", clip_id="c", label_A=score, label_V=score)
    (folder / "Raw/v").mkdir(parents=True, exist_ok=True)
    build._film(folder, config, line)
    media = read_media(folder / line.file, frames=8, size=64, sample_rate=config.sample_rate)
    middle = media.frames[:, 24:40, 24:40].astype(float)
    return (middle[..., 0] - middle[..., 2]).mean(), media.sound


def test_colour_and_loudness_rise_with_the_score_after_decoding(tmp_path):
    told = [shown(score, tmp_path) for score in (-3, -2, -1, 0, 1, 2, 3)]
    assert (np.diff([colour for colour, _ in told]) > 5).all()
    assert (np.diff([np.square(heard).mean() for _, heard in told]) > 0).all()


def test_the_mouth_smiles_when_the_score_is_high():
    config = Rendering(pixel_sd=0)
    head = replace(draw_head(stream(0)), x=0, y=0, sway=0, width=0.6)
    for score, sign in ((3, 1), (-3, -1)):
        face = pictures(config, head, score, stream(0), 1)[0].mean(-1)
        mouth = face[36:]
        corner, centre = (mouth[:, column].argmin() for column in (24, 32))
        assert sign * (int(centre) - int(corner)) >= 2


def test_the_pitch_rises_by_the_configured_semitones():
    config = Rendering(frames=8, fps=8, hiss_sd=0)
    throat = Throat(pitch_hz=200, tilt=2)
    heard = [
        np.abs(np.fft.rfft(sound(config, throat, score, stream(0), 8))).argmax() for score in (0, 3)
    ]
    assert heard[1] / heard[0] == pytest.approx(2 ** (3 * config.pitch_semitones / 12), rel=0.06)


def test_an_unfinished_set_is_not_taken_for_a_set(tmp_path, monkeypatch):
    calls = iter(range(100))
    write = build.write_clip

    def interrupted(*args):
        if next(calls) == 5:
            raise KeyboardInterrupt
        write(*args)

    monkeypatch.setattr(build, "write_clip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "set").prepare()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path):
    for name, age in (("set.draft-old", 100_000), ("set.draft-new", 0), ("other.draft-old", 100_000)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    make(tmp_path / "set").prepare()
    assert {file.name for file in tmp_path.iterdir()} == {"set", "set.draft-new", "other.draft-old"}


def test_a_set_made_by_another_process_meanwhile_is_used(rendered, tmp_path, monkeypatch):
    folder = tmp_path / "set"
    monkeypatch.setattr(build, "_make", lambda *_: shutil.copytree(rendered, folder))
    make(folder).prepare()
    assert [file.name for file in tmp_path.iterdir()] == ["set"]


def test_a_whole_set_is_left_alone(clips):
    before = {file: file.stat().st_mtime_ns for file in clips.rglob("*")}
    make(clips).prepare()
    assert {file: file.stat().st_mtime_ns for file in clips.rglob("*")} == before


def test_a_damaged_or_missing_clip_is_named(clips):
    clip = clips / "Raw/valid0001/0001.mp4"
    clip.write_bytes(clip.read_bytes() + b"!")
    with pytest.raises(BadInput, match=r"valid0001/0001\.mp4: path: altered since it was made"):
        make(clips).prepare()
    clip.unlink()
    with pytest.raises(BadInput, match=r"valid0001/0001\.mp4: path: no such file"):
        make(clips).prepare()


def test_a_set_of_other_numbers_is_refused(clips):
    with pytest.raises(BadInput, match="made from other numbers"):
        make(clips, pixel_sd=0.2).prepare()


def test_a_folder_that_holds_something_else_is_refused_and_kept(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"not a rendered set: it has no manifest\.json"):
        make(tmp_path).prepare()
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="path: cannot be written") as caught:
        make(tmp_path / "file" / "set").prepare()
    assert caught.value.key == "path"


def test_how_clips_are_read_does_not_decide_where_they_are_kept(rendered):
    default, other, seed = (
        RenderedSentiment(RenderedSentimentConfig(**changes)).folder()
        for changes in ({}, {"mel_bands": 8, "grid": 4}, {"seed": 1})
    )
    assert default == other != seed
    assert default.parts[0] == "data"


def test_the_manifest_says_how_the_set_was_made(rendered):
    manifest = json.loads((rendered / "manifest.json").read_text())
    assert Rendering(**manifest["config"]).rendering_digest() == manifest["digest"]
    assert len(manifest["files"]) == 1 + 24 + 12 + 16
