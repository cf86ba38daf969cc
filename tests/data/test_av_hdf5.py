import numpy as np
import pytest
import torch
from pair_samples import D_AUDIO, D_VISION, TEST, TRAIN, by_clip, fault_of, splits, write_h5

from harness.data.av_hdf5 import AvHdf5
from harness.registry import DATASETS
from harness.spec import BadInput

ENTRY = DATASETS.get("av_hdf5")
NAMES = {"audio": "audio", "vision": "visual", "labels": "lab"}


def stored(parts):
    """The six arrays by the names of this family."""
    return {f"{NAMES[what]}_{name}": part[what] for name, part in parts.items() for what in NAMES}


@pytest.fixture
def content():
    return stored(splits())


@pytest.fixture
def reader(tmp_path):
    def reader(content, **changes):
        file = write_h5(tmp_path / "vegas.h5", content)
        return AvHdf5(ENTRY.configure({"path": file, **changes}))

    return reader


@pytest.fixture
def fault(reader):
    def fault(content, **changes):
        said = fault_of(reader(content, **changes).load)
        assert "vegas.h5: " in said
        return said

    return fault


def test_every_row_arrives_once_with_its_own_sound_picture_and_class(content, reader):
    data = reader(content).load()
    found = by_clip(data)
    assert len(found) == 3 * (TRAIN + TEST)
    for clip, (target, audio, vision) in found.items():
        name, row = clip.split("-")
        assert target == content[f"lab_{name}"][int(row)]
        assert audio == [content[f"audio_{name}"][int(row)].tolist()]
        assert vision == [content[f"visual_{name}"][int(row)].tolist()]
    assert [clip.split("-")[0] for clip in data.test.ids] == ["test"] * 3 * TEST
    assert data.train.target.dtype == torch.int64


def test_a_file_that_is_there_is_all_that_preparing_asks(content, reader):
    incomplete = reader({"audio_train": content["audio_train"]})
    assert incomplete.prepare() is None
    assert "visual_train" in fault_of(incomplete.load)


def test_what_a_model_must_know_is_read_from_the_file(content, reader):
    info = reader(content).load().info
    assert (info.task, info.views) == ("retrieval", {"audio", "vision"})
    assert (info.audio_width, info.vision_width) == (D_AUDIO, D_VISION)
    assert (info.audio_steps, info.vision_steps) == (1, 1)
    assert (info.classes, info.label_range) == (("0", "1", "2"), (0.0, 2.0))


def test_sequences_are_kept_as_sequences(content, reader):
    for name in ("train", "test"):
        content[f"audio_{name}"] = np.stack([content[f"audio_{name}"]] * 4, 1)
    data = reader(content).load()
    assert (data.info.audio_steps, data.info.vision_steps) == (4, 1)
    assert data.valid.audio.mask.all()
    assert not data.info.is_aligned


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        (lambda labels: labels[:, None], "lab_train: (30, 1)"),
        (lambda labels: labels[None], "lab_train: (1, 30)"),
        (lambda labels: np.eye(3)[labels], "lab_train: one-hot (30, 3)"),
        (lambda labels: np.eye(3, dtype=bool)[labels], "lab_train: one-hot (30, 3)"),
        (lambda labels: labels.astype(np.float64), ""),
        (lambda labels: labels.astype("S"), ""),
        (lambda labels: labels.astype(np.uint8), ""),
    ],
)
def test_labels_are_understood_in_every_layout(content, reader, layout, told):
    expected = reader(content).load()
    content["lab_train"] = layout(content["lab_train"])
    data = reader(content).load()
    assert torch.equal(data.train.target, expected.train.target)
    assert not told or told in data.findings


def test_labels_from_one_are_mapped_in_ascending_order_and_it_is_said(reader):
    data = reader(stored(splits((3, 1, 10)))).load()
    assert data.info.classes == ("1", "3", "10")
    assert "classes 0 to 2 are 1, 3, 10" in data.findings
    assert sorted(data.test.target.unique().tolist()) == [0, 1, 2]


def test_classes_have_the_names_that_the_study_gives(content, reader, fault):
    assert reader(content, classes=["dog", "bell", "rain"]).load().info.classes == (
        "dog",
        "bell",
        "rain",
    )
    assert "lab_train: expected 2 classes, as many as classes has names, found 3: 0, 1, 2" in fault(
        content, classes=["dog", "bell"]
    )
    with pytest.raises(BadInput, match="expected every name once, given 'dog' twice"):
        ENTRY.configure({"classes": ["dog", "dog"]})


def test_a_tenth_of_each_class_validates_and_the_rule_is_named(content, reader):
    data = reader(content).load()
    assert data.valid.target.bincount().tolist() == [1, 1, 1]
    assert all(clip.startswith("train-") for clip in data.valid.ids)
    rule = "validation: 10 % of train, by the rule hashed_groups_by_class with seed 0"
    assert rule in data.findings
    assert data.info.features.endswith(rule)


def test_what_was_found_is_told(content, reader):
    findings = reader(content).load().findings
    assert findings[0].startswith("HDF5 features of the DCLMA family, SHA-256 ")
    assert any(line.startswith("visual_test: (12, 1, 7), values ") for line in findings)
    assert "clips: train 27, valid 3, test 12" in findings
    assert "3 classes, clips of train/valid/test: 0 9/1/4; 1 9/1/4; 2 9/1/4" in findings


def test_clips_of_test_that_repeat_training_clips_are_counted(content, reader):
    before = reader(content).load()
    row = int(before.train.ids[0].removeprefix("train-"))
    for view in ("audio", "visual"):
        content[f"{view}_test"][[2, 5]] = content[f"{view}_train"][row]
    content["audio_test"][7] = content["audio_train"][row]
    findings = reader(content).load().findings
    assert "2 clips of test have both features of a clip of train, to the last bit" in findings
    assert not any("clips of valid have" in line for line in findings)
    assert not any("to the last bit" in line for line in before.findings)


def test_scaling_reads_the_training_clips_only(content, reader):
    content["audio_train"][:, 2] = 1.25
    for scale in ("minmax", "standardise"):
        data = reader(content, scale=scale).load()
        raw = reader(content).load()
        train = raw.train.audio.values[:, 0].double()
        low, span = {
            "minmax": (train.amin(0), train.amax(0) - train.amin(0)),
            "standardise": (train.mean(0), train.std(0, correction=0)),
        }[scale]
        span[2] = 1
        for name in ("train", "valid", "test"):
            expected = (getattr(raw, name).audio.values[:, 0].double() - low) / span
            np.testing.assert_allclose(getattr(data, name).audio.values[:, 0], expected, atol=1e-5)
        np.testing.assert_allclose(data.scales["audio"][0], low)
        assert f"audio, vision: scaled by train ({scale})" in data.findings
    assert raw.scales == {}


def test_non_finite_features_are_counted_and_refused(content, fault):
    content["audio_train"][4, 1] = np.nan
    content["audio_train"][7] = -np.inf
    assert (
        "audio_train: 1 NaN, 5 -inf among 150 values, in 2 of 30 clips, the first is 'train-4'; to read "
        "them as 0 set fill_non_finite: zero" in fault(content)
    )


def test_numbers_beyond_float32_are_non_finite(content, fault):
    content["audio_train"] = content["audio_train"].astype(np.float64)
    content["audio_train"][0, 0] = 1e200
    assert "audio_train: 1 +inf" in fault(content)


def test_non_finite_features_become_zero_when_the_study_says_so(content, reader):
    content["visual_test"][0] = np.inf
    data = reader(content, fill_non_finite="zero").load()
    assert (data.test.vision.values[0] == 0).all()
    assert (
        "visual_test: 7 +inf among 84 values, in 1 of 12 clips, read as 0 (fill_non_finite)"
        in data.findings
    )
    assert "visual_test: zero throughout: 1 of 12 clips" in data.findings


def test_the_fingerprint_changes_with_a_byte_and_with_the_rule_of_validation(content, reader):
    kept = reader(content).fingerprint()
    assert reader(content, scale="minmax").fingerprint() == kept
    others = [reader(content, validation=0.2), reader(content, validation_seed=1)]
    content["audio_test"][0, 0] += 1
    others.append(reader(content))
    found = [other.fingerprint() for other in others]
    assert len({kept, *found}) == 4
    assert {len(one) for one in found} == {64}


def _set(key, value):
    return lambda content: content.update({key: value(content[key])})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda content: content.pop("lab_test"),
            "lab_test: no such data set; did you mean 'audio_test' or",
        ),
        (
            _set("visual_train", lambda values: values[:-1]),
            "visual_train: expected 30 rows, as many as audio_train, found 29",
        ),
        (
            _set("lab_test", lambda values: values[:-2]),
            "lab_test: expected 12 labels, as many as rows of audio_test, found shape (10,)",
        ),
        (
            _set("lab_train", lambda values: np.where(np.arange(30) < 3, -1, values)),
            "lab_train: 3 of 30 labels are negative, such as -1 in row 0; every clip needs a class",
        ),
        (
            _set("lab_train", lambda values: values + 0.5),
            "lab_train: 30 of 30 labels are no whole numbers, such as ",
        ),
        (
            _set("lab_train", lambda values: np.where(np.arange(30) == 9, np.inf, values)),
            "lab_train: 1 of 30 labels are no whole numbers, such as inf in row 9",
        ),
        (
            _set("lab_train", lambda values: np.array([b"dog"] * 30)),
            "lab_train: expected whole numbers: could not convert string to float",
        ),
        (
            _set("lab_train", lambda values: np.eye(3)[values] * 2),
            "lab_train: expected one-hot rows, one 1 among 3 columns; 30 of 30 are not, "
            "the first is row 0",
        ),
        (
            _set("lab_test", lambda values: np.where(values == 2, 7, values)),
            "lab_test: 4 of 12 labels are of a class that train lacks, such as 7; expected a class of "
            "train: 0, 1, 2",
        ),
        (_set("lab_train", lambda values: values * 0), "lab_train: expected at least two classes"),
        (
            _set("lab_train", lambda values: np.array([5, *[0, 1, 2] * 9, 0, 1])),
            "validation: class '5' has 1 groups of clips in train, none of which can be held out",
        ),
        (
            _set("audio_test", lambda values: values[:, :3]),
            "test.audio: expected 5 columns as in train, found 3",
        ),
        (
            _set("audio_test", lambda values: values[:0]),
            "audio_test: no clips in this split; expected at least one, found (0, 5)",
        ),
        (
            _set("audio_train", lambda values: np.zeros((30, 0, 5))),
            "audio_train: clips without any row or column; found (30, 0, 5)",
        ),
        (
            _set("audio_train", lambda values: values[:, 0]),
            "audio_train: expected numbers (N, D) or (N, T, D), found float32 (30,)",
        ),
        (
            _set("audio_train", lambda values: values.astype("S")),
            "audio_train: expected numbers (N, D) or (N, T, D), found |S32 (30, 5)",
        ),
    ],
)
def test_a_fault_is_told_in_one_line_with_file_and_key(content, fault, change, message):
    change(content)
    assert message in fault(content)


def test_another_kind_of_file_is_refused(tmp_path):
    file = tmp_path / "features.h5"
    file.write_bytes(b"no HDF5")
    assert "features.h5: path: expected an HDF5 file: " in fault_of(
        AvHdf5(ENTRY.configure({"path": file})).load
    )


def test_no_path_a_folder_and_a_missing_file_are_told_apart(tmp_path):
    for path, message in (
        (None, "path: missing; expected the path of an HDF5 file"),
        (tmp_path, "path: expected a file, found a folder"),
        (tmp_path / "no.h5", "no.h5: path: no such file"),
    ):
        reader = AvHdf5(ENTRY.configure({"path": path}))
        for use in (reader.prepare, reader.fingerprint, reader.load):
            assert message in fault_of(use)
