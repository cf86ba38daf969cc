import numpy as np
import pytest
import torch
from pair_samples import fault_of

from harness.data.av_npy import AvNpy
from harness.registry import DATASETS
from harness.spec import BadInput

ENTRY = DATASETS.get("av_npy")
NAMES = ("baby_cry", "chainsaw", "dog")
EACH, FOLDS = 10, 5


def clip_names():
    return [f"{name}_video_{number:05d}" for number in range(EACH) for name in NAMES]


def class_of(clip):
    return clip.rpartition("_video_")[0]


@pytest.fixture
def folder(tmp_path):
    """Sounds of one to three uint8 steps, pictures of one float vector, five lists of six clips."""
    random = np.random.default_rng(0)
    (tmp_path / "folds").mkdir()
    for view in ("audio", "visual"):
        (tmp_path / view).mkdir()
    for row, clip in enumerate(clip_names()):
        steps = random.integers(0, 256, (1 + row % 3, 4)).astype(np.uint8)
        np.save(tmp_path / "audio" / f"{clip}.npy", steps)
        np.save(tmp_path / "visual" / f"{clip}.npy", random.normal(size=6))
    for fold in range(FOLDS):
        listed = clip_names()[fold * 6 : fold * 6 + 6]
        (tmp_path / "folds" / f"fold{fold}.lst").write_text("\n".join(listed) + "\n\n")
    write_labels(tmp_path, {clip: class_of(clip) for clip in clip_names()})
    return tmp_path


def write_labels(folder, labels, between=" "):
    told = "".join(f"{clip}{between}{label}\n" for clip, label in labels.items())
    (folder / "labels.txt").write_text(told)


def reader(folder, **changes):
    return AvNpy(ENTRY.configure({"path": folder, **changes}))


def classes_of(data):
    return {
        clip: data.info.classes[int(target)]
        for batch in (data.train, data.valid, data.test)
        for clip, target in zip(batch.ids, batch.target, strict=True)
    }


@pytest.mark.parametrize("fold", range(FOLDS))
def test_one_list_is_test_and_the_others_train(folder, fold):
    data = reader(folder, fold=fold).load()
    assert data.test.ids == tuple(clip_names()[fold * 6 : fold * 6 + 6])
    assert {*data.train.ids, *data.valid.ids} == {*clip_names()} - {*data.test.ids}
    assert data.valid.target.bincount().tolist() == [1, 1, 1]
    assert f"fold{fold}.lst of 5 folds to test" in data.findings[0]


def test_every_clip_has_the_features_of_its_own_files(folder):
    data = reader(folder).load()
    for row, clip in enumerate(data.test.ids):
        sound = np.load(folder / "audio" / f"{clip}.npy")
        length = int(data.test.audio.lengths[row])
        assert length == len(sound)
        undone = (sound.astype(np.float64) - 128) / 256
        assert data.test.audio.values[row, :length].tolist() == undone.tolist()
        picture = np.load(folder / "visual" / f"{clip}.npy").astype(np.float32)
        assert data.test.vision.values[row, 0].tolist() == picture.tolist()
    assert (data.info.audio_width, data.info.vision_width) == (4, 6)
    assert (data.info.audio_steps, data.info.vision_steps) == (3, 1)
    assert "test.audio: 6 of 6 clips are uint8, read as (x - 128) / 256" in data.findings
    assert "test.audio: lengths 1 to 3" in data.findings
    assert not any("vision: 6 of 6" in line for line in data.findings)


def numbered(folder):
    write_labels(folder, {clip: NAMES.index(class_of(clip)) + 9 for clip in clip_names()}, ", ")


def one_number_a_file(folder):
    (folder / "classes").mkdir()
    for clip in clip_names():
        np.save(folder / "classes" / f"{clip}.npy", NAMES.index(class_of(clip)))


def one_hot_files(folder):
    (folder / "classes").mkdir()
    for clip in clip_names():
        np.save(folder / "classes" / f"{clip}.npy", np.eye(3)[NAMES.index(class_of(clip))])


def class_folders(folder):
    for view in ("audio", "visual"):
        for clip in clip_names():
            home = folder / view / class_of(clip)
            home.mkdir(exist_ok=True)
            (folder / view / f"{clip}.npy").rename(home / f"{clip}.npy")


@pytest.mark.parametrize(
    ("arrange", "labels", "names"),
    [
        (numbered, "labels.txt", ("9", "10", "11")),
        (one_number_a_file, "classes", ("0", "1", "2")),
        (one_hot_files, "classes", ("0", "1", "2")),
        (class_folders, "folders", NAMES),
    ],
)
def test_labels_are_the_same_wherever_they_are(folder, arrange, labels, names):
    expected = reader(folder).load()
    assert classes_of(expected) == {clip: class_of(clip) for clip in clip_names()}
    arrange(folder)
    reader(folder, labels=labels).prepare()
    data = reader(folder, labels=labels).load()
    assert data.info.classes == names
    assert torch.equal(data.train.target, expected.train.target)
    assert data.train.ids == expected.train.ids
    assert len(reader(folder, labels=labels).fingerprint()) == 64


def test_a_header_and_labels_of_other_clips_are_not_read(folder):
    with (folder / "labels.txt").open("a") as file:
        file.write("id label\nanother_clip 7\n")
    assert reader(folder).load().info.classes == NAMES


def test_a_name_may_have_commas_and_spaces(folder):
    write_labels(folder, {clip: f"a {class_of(clip)}, loud" for clip in clip_names()})
    assert reader(folder).load().info.classes == tuple(f"a {name}, loud" for name in NAMES)


def test_the_order_of_a_list_does_not_change_who_validates(folder):
    before = reader(folder).load()
    listed = folder / "folds" / "fold3.lst"
    listed.write_text("\n".join(reversed(listed.read_text().split())))
    after = reader(folder).load()
    assert set(after.valid.ids) == set(before.valid.ids)


def test_the_fingerprint_is_of_everything_that_is_read_and_of_nothing_else(folder):
    kept = reader(folder).fingerprint()
    np.save(folder / "audio" / "in_no_list.npy", np.zeros(4))
    assert reader(folder).fingerprint() == kept
    for name in ("audio/dog_video_00009.npy", "visual/dog_video_00000.npy", "labels.txt"):
        with (folder / name).open("ab") as file:
            file.write(b"\n")
        found = reader(folder).fingerprint()
        assert found != kept
        kept = found


def test_non_finite_features_are_told_with_the_clip(folder):
    np.save(folder / "visual" / "dog_video_00003.npy", np.array([0, np.nan, 1, 2, 3, 4]))
    assert (
        "train.vision: 1 NaN among 144 values, in 1 of 24 clips, the first is 'dog_video_00003'"
        in fault_of(reader(folder).load)
    )
    assert reader(folder, fill_non_finite="zero").load().findings


def _npy(name, values):
    return lambda folder: np.save(folder / name, values)


def _text(name, text):
    return lambda folder: (folder / name).write_text(text)


def _remove(name):
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _remove("audio/dog_video_00001.npy"),
            "audio: path: 1 of 30 clips of the fold lists have no file here, such as dog_video_",
        ),
        (_remove("labels.txt"), "labels.txt: path: no such file"),
        (
            _text("labels.txt", "dog_video_00000 dog\n"),
            "labels.txt: labels: 29 of 30 clips have no label, such as 'baby_cry_video_00002'",
        ),
        (_text("labels.txt", "dog\n"), "labels.txt: labels: line 1: expected `id label`, given 'dog'"),
        (
            _text("labels.txt", "dog_video_00000 dog\ndog_video_00000 cat\n"),
            "labels: line 2: clip 'dog_video_00000' is cat, and was dog",
        ),
        (
            _npy("audio/dog_video_00001.npy", np.zeros((0, 4))),
            "dog_video_00001.npy: path: a clip without any row, found (0, 4)",
        ),
        (
            _npy("audio/dog_video_00001.npy", np.zeros((2, 3))),
            "dog_video_00001.npy: audio: expected 4 columns as in ",
        ),
        (
            _npy("audio/dog_video_00001.npy", np.zeros((2, 2, 4))),
            "expected numbers (D,) or (T, D), found float64 (2, 2, 4)",
        ),
        (
            _text("audio/dog_video_00001.npy", "no array"),
            "dog_video_00001.npy: path: expected a .npy file of numbers: ",
        ),
        (
            _text("folds/fold1.lst", "dog_video_00000"),
            "id: clip 'dog_video_00000' is in train and in test; expected every clip once",
        ),
        (_text("folds/fold0.lst", "\n"), "folds: test: no clips in this split; expected at least one"),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_file(folder, change, message):
    change(folder)
    assert message in fault_of(reader(folder).load)


def test_pickled_objects_are_never_loaded(folder):
    np.save(folder / "audio" / "dog_video_00001.npy", np.array([{}]), allow_pickle=True)
    assert "dog_video_00001.npy: path: expected a .npy file of numbers" in fault_of(reader(folder).load)


def test_negative_labels_and_labels_of_test_alone_are_refused(folder):
    write_labels(folder, {clip: -1 if clip == clip_names()[7] else 3 for clip in clip_names()})
    assert "labels.txt: labels: 1 of 30 labels are negative, such as -1" in fault_of(reader(folder).load)
    write_labels(
        folder, {clip: "cat" if clip == clip_names()[0] else class_of(clip) for clip in clip_names()}
    )
    said = fault_of(reader(folder).load)
    assert (
        "1 of 6 labels are of a class that train lacks, such as cat; expected a class of train" in said
    )


def test_a_clip_in_different_classes_by_sound_and_picture_is_refused(folder):
    class_folders(folder)
    moved = "dog_video_00002.npy"
    (folder / "audio" / "dog" / moved).rename(folder / "audio" / "chainsaw" / moved)
    said = fault_of(reader(folder, labels="folders").load)
    assert "audio: 1 of 30 labels differ from those of visual, the first in row " in said
    assert "expected dog, found chainsaw" in said
    np.save(folder / "audio" / "dog" / moved, np.zeros(4))
    assert "clip 'dog_video_00002' is in chainsaw and dog" in fault_of(
        reader(folder, labels="folders").prepare
    )


def test_label_files_of_different_shapes_are_refused(folder):
    one_number_a_file(folder)
    np.save(folder / "classes" / "dog_video_00002.npy", np.array([1, 2]))
    assert "dog_video_00002.npy: classes: expected shape () as in " in fault_of(
        reader(folder, labels="classes").load
    )


def test_a_fold_that_is_not_there_and_missing_folders_are_told(folder):
    assert "folds: fold: expected a list for fold 5 and others to train on, found 5 lists" in fault_of(
        reader(folder, fold=5).prepare
    )
    assert "nowhere: folds: no such folder" in fault_of(reader(folder, folds="nowhere").prepare)
    assert "nowhere: path: no such folder" in fault_of(reader(folder, audio="nowhere").fingerprint)
    assert "expected the path of a folder with features, labels and fold lists" in fault_of(
        reader(None).load
    )


@pytest.mark.parametrize("name", ["/data/audio", "../audio", ""])
def test_parts_lie_below_the_path(name):
    with pytest.raises(BadInput, match="audio: expected a name below path, given"):
        ENTRY.configure({"audio": name})
