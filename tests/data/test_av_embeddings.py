import numpy as np
import pytest
import torch
from pair_samples import CLASSES, D_AUDIO, TRAIN, fault_of, split, splits, write_h5

from harness.data.av_embeddings import AvEmbeddings
from harness.registry import DATASETS

ENTRY = DATASETS.get("av_embeddings")


def stored(part):
    return {"featN1": part["audio"], "featN2": part["vision"], "testLs": part["labels"]}


def reader(folder, **changes):
    return AvEmbeddings(ENTRY.configure({"path": folder, **changes}))


@pytest.fixture
def pair(tmp_path):
    """A folder with train and test of fold 2."""
    for name, part in splits().items():
        write_h5(tmp_path / f"{name}_02s.h5", stored(part))
    return tmp_path


@pytest.fixture
def folds(tmp_path):
    """A folder with three folds of different sizes, and what they hold."""
    content = {number: split("x" * number, number + 2) for number in range(3)}
    for number, part in content.items():
        write_h5(tmp_path / f"{number:02d}s.h5", stored(part))
    return tmp_path, content


def test_a_pair_of_files_is_a_fold(pair):
    reader(pair, fold=2).prepare()
    data = reader(pair, fold=2).load()
    content = splits()
    assert len(data.train) + len(data.valid) == TRAIN * len(CLASSES)
    assert data.test.ids[:2] == ("test_02s-0", "test_02s-1")
    assert data.test.target.tolist() == content["test"]["labels"].tolist()
    assert data.test.audio.values[:, 0].tolist() == content["test"]["audio"].tolist()
    assert data.test.vision.values[:, 0].tolist() == content["test"]["vision"].tolist()
    assert any(
        line.startswith("embeddings, train_02s.h5 to train, test_02s.h5 to test")
        for line in data.findings
    )


def test_clips_of_two_pairs_of_files_are_never_taken_for_the_same(tmp_path):
    for number in range(2):
        for name, part in splits().items():
            write_h5(tmp_path / f"{name}_{number:02d}s.h5", stored(part))
    first, second = (set(reader(tmp_path, fold=fold).load().test.ids) for fold in range(2))
    assert not first & second


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_one_file_is_test_and_all_others_train(folds, fold):
    folder, content = folds
    data = reader(folder, fold=fold).load()
    assert data.test.target.tolist() == content[fold]["labels"].tolist()
    others = sum(len(part["labels"]) for number, part in content.items() if number != fold)
    assert len(data.train) + len(data.valid) == others
    assert {clip.split("-")[0] for clip in data.train.ids} == {
        f"{number:02d}s" for number in content if number != fold
    }


def test_a_clip_has_the_same_id_and_features_whichever_fold_is_test(folds):
    folder, _ = folds
    first, second = (reader(folder, fold=fold).load() for fold in (0, 1))
    row = first.train.ids.index(second.train.ids[-1])
    assert torch.equal(first.train.audio.values[row], second.train.audio.values[-1])


def test_labels_stored_as_text_are_numbers(pair):
    expected = reader(pair, fold=2).load()
    part = splits()["train"]
    part["labels"] = part["labels"].astype("S")
    write_h5(pair / "train_02s.h5", stored(part))
    assert torch.equal(reader(pair, fold=2).load().train.target, expected.train.target)


def test_the_fingerprint_is_of_all_files_of_the_fold(folds):
    folder, content = folds
    kept = reader(folder).fingerprint()
    for number in content:
        changed = {**content[number], "audio": content[number]["audio"] + 1}
        write_h5(folder / f"{number:02d}s.h5", stored(changed))
        found = reader(folder).fingerprint()
        assert found != kept
        kept = found


def test_labels_of_another_number_of_rows_are_refused_with_the_file(folds):
    folder, content = folds
    content[1]["labels"] = content[1]["labels"][:-1]
    write_h5(folder / "01s.h5", stored(content[1]))
    assert "01s.h5: testLs: expected 9 labels, as many as rows of featN1, found shape (8,)" in fault_of(
        reader(folder).load
    )


def test_folds_of_different_widths_are_refused(folds):
    folder, content = folds
    content[2]["audio"] = np.zeros((12, D_AUDIO + 1))
    write_h5(folder / "02s.h5", stored(content[2]))
    assert "02s.h5: audio: expected 5 columns as in 01s.h5, found 6" in fault_of(reader(folder).load)


def test_a_fold_that_is_not_there_is_told_with_what_is(pair):
    said = fault_of(reader(pair, fold=7).prepare)
    assert (
        "fold: expected train_07s.h5 and test_07s.h5, or 07s.h5 beside other folds; found: test" in said
    )


def test_a_single_fold_has_nothing_to_train_on(tmp_path):
    write_h5(tmp_path / "00s.h5", stored(split("train", 4)))
    assert "or 00s.h5 beside other folds; found: 00s.h5" in fault_of(reader(tmp_path).load)


def test_a_path_must_be_a_folder(tmp_path):
    (tmp_path / "file").touch()
    assert "path: missing; expected the path of a folder with embeddings" in fault_of(reader(None).load)
    assert "path: expected a folder, found a file" in fault_of(reader(tmp_path / "file").fingerprint)
