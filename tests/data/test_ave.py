import numpy as np
import pytest
from pair_samples import fault_of, write_h5

from harness.data.ave import Ave
from harness.registry import DATASETS

ENTRY = DATASETS.get("ave")
CATEGORIES = ("Church bell", "Male speech, man speaking", "Bark")
EACH, T = 8, 4
N = EACH * len(CATEGORIES)
ORDERS = {"train": [*range(2, N, 2), 1, 9, 17], "val": [0, 11, 19], "test": [3, 13, 21]}
FILES = {"audio": "audio_feature.h5", "vision": "visual_feature.h5", "labels": "labels.h5"}


def content():
    """A clip of each category in turn; the event is not the whole clip, and background is the rest."""
    random = np.random.default_rng(0)
    labels = np.zeros((N, T, len(CATEGORIES) + 1), np.float32)
    for row in range(N):
        labels[row, : 1 + row % T, row // EACH] = 1
        labels[row, 1 + row % T :, -1] = 1
    return {
        "audio": random.normal(size=(N, T, 5)).astype(np.float32),
        "vision": random.normal(size=(N, T, 2, 3, 6)).astype(np.float32),
        "labels": labels,
    }


def annotations(videos):
    return [f"{CATEGORIES[row // EACH]}&{video}&good&0&10" for row, video in enumerate(videos)]


def write(folder, arrays, videos=None, orders=None):
    for what, values in arrays.items():
        write_h5(folder / FILES[what], {"avadataset": values})
    for split, rows in (orders or ORDERS).items():
        write_h5(folder / f"{split}_order.h5", {"order": np.array(rows)})
    videos = videos or [f"v{row}" for row in range(N)]
    (folder / "Annotations.txt").write_text("\n".join(annotations(videos)) + "\n")
    return folder


@pytest.fixture
def load(tmp_path):
    def load(**changes):
        return Ave(ENTRY.configure({"path": tmp_path, **changes})).load()

    return load


@pytest.fixture
def fault(load):
    return lambda **changes: fault_of(lambda: load(**changes))


def test_the_splits_are_those_of_the_order_files(tmp_path, load):
    write(tmp_path, content())
    Ave(ENTRY.configure({"path": tmp_path})).prepare()
    data = load()
    for split, batch in (("train", data.train), ("val", data.valid), ("test", data.test)):
        assert batch.ids == tuple(f"v{row}#{row}" for row in ORDERS[split])
        assert batch.video_ids == tuple(f"v{row}" for row in ORDERS[split])
        assert batch.target.tolist() == [row // EACH for row in ORDERS[split]]
    assert data.info.classes == CATEGORIES
    assert "validation: the files' own split" in data.findings
    unlisted = N - sum(map(len, ORDERS.values()))
    assert f"dropped: {unlisted} of {N} clips, which no order has" in data.findings


def test_pictures_are_averaged_over_their_grid_and_clips_over_their_seconds(tmp_path, load):
    arrays = content()
    write(tmp_path, arrays)
    rows = ORDERS["test"]
    mean, steps = load(), load(time="steps")
    expected = {"audio": arrays["audio"][rows], "vision": arrays["vision"][rows].mean((2, 3))}
    for view, values in expected.items():
        found = getattr(mean.test, view).values
        np.testing.assert_allclose(found, values.mean(1, keepdims=True), atol=1e-6)
        np.testing.assert_allclose(getattr(steps.test, view).values, values, atol=1e-6)
        assert (mean.info.steps(view), steps.info.steps(view)) == (1, T)
    assert (mean.info.audio_width, mean.info.vision_width) == (5, 6)
    assert steps.info.is_aligned


def test_reading_in_blocks_reads_the_same(tmp_path, load, monkeypatch):
    write(tmp_path, content())
    expected = load()
    monkeypatch.setattr("harness.data.ave._BLOCK", 5)
    assert load().train.vision.values.tolist() == expected.train.vision.values.tolist()


def test_features_without_a_grid_are_read_as_they_are(tmp_path, load):
    arrays = content()
    write(tmp_path, arrays)
    expected = load()
    write(tmp_path, {"vision": arrays["vision"].mean((2, 3))})
    np.testing.assert_allclose(load().train.vision.values, expected.train.vision.values, atol=1e-6)


def test_no_training_clip_is_of_a_video_of_a_later_split_unless_the_study_keeps_them(tmp_path, load):
    videos = [f"v{row}" for row in range(N)]
    videos[2] = videos[4] = videos[3]
    write(tmp_path, content(), videos)
    data = load()
    assert not set(data.train.video_ids) & {*data.valid.video_ids, *data.test.video_ids}
    assert len(data.train) == len(ORDERS["train"]) - 2
    assert (
        "train: 2 clips of videos that a later split has too are dropped (shared_videos)"
        in data.findings
    )
    kept = load(shared_videos="keep")
    assert len(kept.train) == len(ORDERS["train"])
    assert (
        "train: 2 clips of videos that a later split has too are kept (shared_videos)" in kept.findings
    )


def test_an_event_is_its_most_frequent_step_and_never_background(tmp_path, load):
    arrays = content()
    arrays["labels"][3] = 0
    arrays["labels"][3, 1:, -1] = 1
    arrays["labels"][3, 0, 0] = 1
    write(tmp_path, arrays)
    assert load().test.target[0] == 0


def test_annotations_may_have_a_header_and_empty_lines(tmp_path, load):
    write(tmp_path, content())
    file = tmp_path / "Annotations.txt"
    file.write_text("Category&VideoID&Quality&StartTime&EndTime\n\n" + file.read_text())
    assert load().test.ids[0] == "v3#3"


def test_features_are_scaled_and_filled_as_in_any_other_file(tmp_path, load, fault):
    arrays = content()
    arrays["vision"][3, 0, 0, 0, 0] = np.nan
    write(tmp_path, arrays)
    assert (
        "visual_feature.h5: avadataset: 1 NaN among 144 values, in 1 of 24 clips, the first is 'v3#3'"
        in fault()
    )
    data = load(fill_non_finite="zero", scale="minmax")
    assert data.train.audio.values.amin() == 0
    assert data.train.audio.values.amax() == 1


def test_the_fingerprint_is_of_every_file(tmp_path):
    write(tmp_path, content())
    reader = ENTRY.configure({"path": tmp_path})
    kept = {Ave(reader).fingerprint()}
    for file in tmp_path.iterdir():
        with file.open("ab") as target:
            target.write(b"\n")
        kept.add(Ave(reader).fingerprint())
    assert len(kept) == 1 + len(list(tmp_path.iterdir())) == 8


def _changed(key, change):
    def write_changed(folder):
        arrays = content()
        arrays[key] = change(arrays[key])
        write(folder, arrays)

    return write_changed


def _ordered(**orders):
    return lambda folder: write(folder, content(), orders=ORDERS | orders)


def _annotated(change):
    def write_changed(folder):
        write(folder, content())
        file = folder / "Annotations.txt"
        file.write_text("\n".join(change(file.read_text().splitlines())))

    return write_changed


def _set(index, value):
    def change(values):
        values[index] = value
        return values

    return change


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            _changed("audio", lambda values: values[:-1]),
            "audio_feature.h5: avadataset: expected (24, T, D) or (24, T, H, W, D), a row for each line",
        ),
        (
            _changed("labels", lambda values: values[:-1]),
            "labels.h5: avadataset: expected (24, T, 4): the 24 clips of Annotations.txt, its 3 "
            "categories",
        ),
        (_changed("labels", lambda values: values * 2), "labels.h5: avadataset: expected 0 and 1 only"),
        (
            _changed("labels", _set((5, slice(None), slice(3)), 0)),
            "labels.h5: avadataset: 1 clips have no event, the first in row 5",
        ),
        (
            _annotated(lambda lines: [lines[-1], *lines[1:-1], lines[0]]),
            "row 1 is of column 0, 'Bark' by earlier rows, and 'Church bell' in Annotations.txt",
        ),
        (
            _annotated(lambda lines: [*lines, "Bark&v1&good"]),
            "Annotations.txt: path: line 25: expected category&video&quality&start&end, given "
            "'Bark&v1&good'",
        ),
        (_annotated(lambda lines: []), "Annotations.txt: path: expected lines category&video"),
        (_ordered(test=[3, 24]), "test_order.h5: order: expected rows from 0 to 23, found 3 to 24"),
        (_ordered(test=[-1, 3]), "test_order.h5: order: expected rows from 0 to 23, found -1 to 3"),
        (_ordered(test=[3, 3]), "test_order.h5: order: row 3 is there twice; expected every row once"),
        (_ordered(test=[3, 2]), "order: row 2 is in two orders; expected every clip in one split"),
        (_ordered(test=[]), "test_order.h5: order: expected rows (n,) as integers, found float64 (0,)"),
        (_ordered(test=[3.0]), "test_order.h5: order: expected rows (n,) as integers, found float64"),
        (
            _ordered(train=[2, 4, 8, 10], test=[3, 21]),
            "1 of 3 labels are of a class that train lacks, such as 2; expected a class of train: 0, 1",
        ),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_file(tmp_path, fault, make, message):
    make(tmp_path)
    assert message in fault()


def test_missing_files_and_paths_are_told(tmp_path, fault):
    write(tmp_path, content())
    (tmp_path / "labels.h5").unlink()
    assert "labels.h5: path: no such file" in fault()
    assert "labels.h5: path: no such file" in fault_of(Ave(ENTRY.configure({"path": tmp_path})).prepare)
    assert "path: missing; expected the path of a folder with AVE's features" in fault(path=None)
