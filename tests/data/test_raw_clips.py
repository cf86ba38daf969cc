import csv

import av
import numpy as np
import pytest
import torch

from harness.data.clips.labels import read_labels
from harness.data.clips.media import read_media
from harness.data.raw_clips import RawClips
from harness.registry import DATASETS
from harness.spec import BadInput

ENTRY = DATASETS.get("raw_clips")


def make(folder, **changes):
    params = {"frames": 4, "size": 32, "grid": 4, "mel_bands": 8, "path": folder}
    return RawClips(ENTRY.configure({**params, **changes}))


def edit(folder, change):
    """Rewrites label.csv after `change` was given all rows."""
    file = folder / "label.csv"
    with file.open(newline="") as source:
        rows = list(csv.DictReader(source))
    rows = change(rows) or rows
    with file.open("w", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def set_cell(row, key, value):
    return lambda rows: rows[row].update({key: value})


def drop(*columns):
    return lambda rows: [{k: v for k, v in row.items() if k not in columns} for row in rows]


def write_video(file, levels, fps=10, sound=True, size=(48, 64)):
    """A clip whose n-th picture is grey of level n."""
    with av.open(str(file), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"qp": "1"})
        video.height, video.width = size
        video.pix_fmt = "yuv420p"
        if sound:
            audio = container.add_stream("aac", rate=44100, layout="stereo")
            tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100).astype(np.float32)
            block = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
            block.sample_rate = 44100
            container.mux(audio.encode(block))
            container.mux(audio.encode(None))
        for level in levels:
            picture = np.full((*size, 3), level, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))


def test_ids_texts_and_targets_are_those_of_the_table(clips):
    edit(clips, set_cell(0, "text", "NA"))
    data = make(clips).load()
    table = read_labels(clips / "label.csv")
    assert data.train.ids == tuple(f"{row.video_id}$_${row.clip_id}" for row in table.split("train"))
    assert data.train.video_ids == tuple(row.video_id for row in table.split("train"))
    assert data.train.transcripts[0] == "NA"
    assert data.info.views == {"transcript", "frames", "vision", "audio"}


def test_digits_in_ids_stay_as_they_are_written(clips):
    (clips / "Raw/train0000").rename(clips / "Raw/00812")
    edit(
        clips,
        lambda rows: [r.update(video_id="00812") for r in rows if r["video_id"] == "train0000"] and None,
    )
    assert make(clips).load().train.ids[:2] == ("00812$_$0000", "00812$_$0001")


def test_columns_are_known_by_name_not_by_order(clips):
    before = make(clips).load()
    edit(clips, lambda rows: [dict(reversed(row.items())) for row in rows])
    after = make(clips).load()
    assert torch.equal(before.train.target, after.train.target)
    assert before.train.transcripts == after.train.transcripts


def test_test_targets_are_labels_when_no_true_score_is_there(clips):
    edit(clips, lambda rows: [r.update(label="0.5") for r in rows] and drop("true_score")(rows))
    data = make(clips).load()
    assert data.test.target.unique().tolist() == [0.5]
    assert "test targets are true scores" not in data.findings


def test_a_byte_order_mark_does_not_hide_the_first_column(clips):
    file = clips / "label.csv"
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert len(read_labels(file).rows) == 52


def test_frames_are_the_middles_of_equal_stretches(tmp_path):
    write_video(tmp_path / "a.mp4", range(10, 250, 10))
    media = read_media(tmp_path / "a.mp4", frames=4, size=16, sample_rate=8000)
    assert media.frames.shape == (4, 16, 16, 3)
    assert media.frames.mean((1, 2, 3)) == pytest.approx([40, 100, 160, 220], abs=3)


def test_sound_is_mixed_to_mono_and_resampled(tmp_path):
    write_video(tmp_path / "a.mp4", [0] * 10)
    sound = read_media(tmp_path / "a.mp4", frames=1, size=16, sample_rate=8000).sound
    assert len(sound) == pytest.approx(8000, rel=0.05)
    assert np.abs(np.fft.rfft(sound[:8000])).argmax() * 8000 / min(len(sound), 8000) == pytest.approx(
        440, abs=2
    )


def test_the_fingerprint_changes_with_one_byte_of_any_file(clips):
    seen = {make(clips).fingerprint()}
    for name in ("label.csv", "Raw/test0003/0001.mp4"):
        content = (clips / name).read_bytes()
        (clips / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        seen.add(make(clips).fingerprint())
    assert len(seen) == 3


def test_features_are_standardised_by_train_or_left_as_they_are(clips):
    raw, scaled = (make(clips, standardise=how).load() for how in ("none", "train"))
    assert 0 <= raw.train.vision.values.min() <= raw.train.vision.values.max() <= 1
    assert scaled.train.audio.values.mean((0, 1)).abs().max() < 1e-4
    assert torch.equal(raw.train.frames.values, scaled.train.frames.values)


def fault(clips, **changes):
    with pytest.raises(BadInput) as caught:
        make(clips, **changes).load()
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("label"), "label.csv: label: no such column; found: video_id, clip_id, text"),
        (set_cell(0, "label", "good"), "label.csv: label: line 2: expected a number, given 'good'"),
        (set_cell(0, "label", "nan"), "train.label: 1 of 24 labels are NaN or infinite"),
        (set_cell(51, "true_score", "inf"), "test.true_score: 1 of 16 labels are NaN or infinite"),
        (set_cell(0, "label", "3.5"), "1 of 24 labels are outside label_range [-3, 3], such as 3.5"),
        (set_cell(0, "mode", "trian"), "label.csv: mode: line 2: given 'trian'; did you mean 'train'?"),
        (set_cell(0, "clip_id", "../x"), "clip_id: line 2: expected the name of a file, given '../x'"),
        (set_cell(0, "clip_id", "0001"), "id: clip 'train0000$_$0001' is twice in train"),
        (
            set_cell(0, "mode", "valid"),
            "1 videos are in two splits, such as 'train0000' in train and valid",
        ),
        (lambda rows: [r for r in rows if r["mode"] != "valid"], "valid: no clips in this split"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(clips, change, message):
    edit(clips, change)
    said = fault(clips)
    assert message in said
    assert "label.csv" in said
    assert "\n" not in said


def test_a_row_with_too_few_cells_is_refused(clips):
    with (clips / "label.csv").open("a") as table:
        table.write("train0000,0009,cut\n")
    assert "line 54 has not as many cells as there are columns" in fault(clips)


def test_a_shared_video_is_accepted_when_the_study_says_so(clips):
    edit(clips, set_cell(0, "mode", "valid"))
    found = make(clips, allow_shared_videos=True).load().findings
    assert any("1 videos have clips in two splits" in line for line in found)


def test_a_missing_clip_is_named(clips):
    (clips / "Raw/test0003/0001.mp4").unlink()
    for use in (make(clips).prepare, make(clips).fingerprint, make(clips).load):
        with pytest.raises(BadInput, match=r"Raw/test0003/0001\.mp4: path: no such file"):
            use()


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "text"])
def test_a_corrupt_clip_is_named(clips, damage):
    clip = clips / "Raw/valid0002/0000.mp4"
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle - 400 : middle + 400] = bytes(range(200)) * 4
    broken = {
        "cut": bytes(content[:middle]),
        "noise": bytes(content),
        "empty": b"",
        "text": b"hello " * 99,
    }
    clip.write_bytes(broken[damage])
    assert "Raw/valid0002/0000.mp4: path: cannot be decoded" in fault(clips)


def test_a_clip_with_too_few_frames_is_named(clips):
    assert "0000.mp4: frames: expected at least 5 frames, found 4" in fault(clips, frames=5)


def test_a_clip_without_sound_is_named(clips):
    write_video(clips / "Raw/train0003/0000.mp4", [0] * 10, sound=False)
    assert "Raw/train0003/0000.mp4: path: has no audio track" in fault(clips)


def test_a_clip_shorter_than_a_window_is_named(clips):
    said = fault(clips, window_ms=1000)
    assert "0000.mp4: window_ms: expected at least 1000 ms of sound" in said


def test_no_path_and_no_folder_are_told_apart(tmp_path):
    with pytest.raises(BadInput, match=r"^path: missing; expected the path of a folder"):
        make(None).prepare()
    with pytest.raises(BadInput, match=r"nowhere: path: no such file"):
        make(tmp_path / "nowhere").prepare()


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match="grid: expected a divisor of size 32, given 5"):
        make(None, grid=5)
    with pytest.raises(BadInput, match="label_range: expected lowest < highest"):
        make(None, label_range=(1, 1))
