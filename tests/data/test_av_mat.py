import numpy as np
import pytest
import torch
from pair_samples import CLASSES, D_AUDIO, D_VISION, TRAIN, fault_of, splits, write_h5
from scipy import sparse
from scipy.io import savemat

from harness.data.av_mat import AvMat
from harness.registry import DATASETS
from harness.spec import BadInput

ENTRY = DATASETS.get("av_mat")


def write(folder, content):
    for name, values in content.items():
        savemat(folder / f"{name}.mat", {name: values})


@pytest.fixture
def content():
    """Variables by name; labels of the pictures alone, as a column, as in the published Pascal files."""
    named = {"img": "vision", "txt": "audio"}
    found = {
        f"{name}_{stem}": part[view] for name, part in splits().items() for stem, view in named.items()
    }
    return found | {f"{name}_img_lab": part["labels"][:, None] for name, part in splits().items()}


@pytest.fixture
def reader(tmp_path):
    def reader(content, **changes):
        write(tmp_path, content)
        return AvMat(ENTRY.configure({"path": tmp_path, **changes}))

    return reader


def test_pictures_are_vision_and_the_other_stem_is_audio(content, reader):
    reader(content).prepare()
    data = reader(content).load()
    assert len(data.train) + len(data.valid) == TRAIN * len(CLASSES)
    assert (data.info.audio_width, data.info.vision_width) == (D_AUDIO, D_VISION)
    assert data.test.vision.values[:, 0].tolist() == content["test_img"].tolist()
    assert data.test.audio.values[:, 0].tolist() == content["test_txt"].tolist()
    assert data.test.target.tolist() == content["test_img_lab"][:, 0].tolist()
    assert "MATLAB files of the DSCMR family, img as vision, txt as audio, SHA-256" in data.findings[0]
    assert "train_img_lab: (30, 1)" in data.findings


def test_other_stems_are_read_when_the_study_names_them(content, reader):
    expected = reader(content).load()
    renamed = {name.replace("txt", "aud"): values for name, values in content.items()}
    data = reader({**renamed, "test_txt": np.zeros(3)}, audio="aud").load()
    assert torch.equal(data.train.audio.values, expected.train.audio.values)


def test_equal_labels_of_both_modalities_are_read_once(content, reader):
    expected = reader(content).load()
    both = {f"{name}_txt_lab": part["labels"] for name, part in splits().items()}
    assert torch.equal(reader(content | both).load().train.target, expected.train.target)


def test_labels_of_one_modality_alone_are_enough(content, reader):
    expected = reader(content).load()
    turned = {name.replace("img_lab", "txt_lab"): values for name, values in content.items()}
    assert torch.equal(reader(turned).load().train.target, expected.train.target)


def test_labels_that_differ_between_modalities_are_counted(content, reader):
    other = content["train_img_lab"].copy()
    other[[4, 9]] = (other[[4, 9]] + 1) % 3
    said = fault_of(reader(content | {"train_txt_lab": other}).load)
    assert "train_txt_lab.mat: train_txt_lab: 2 of 30 labels differ from those of train_img_lab" in said
    assert f"the first in row 4: expected {content['train_img_lab'][4, 0]}, found {other[4, 0]}" in said


def test_the_fingerprint_is_of_all_files(content, reader):
    kept = {reader(content).fingerprint()}
    for name in content:
        kept.add(reader({**content, name: content[name][::-1]}).fingerprint())
    assert len(kept) == 1 + len(content)


def test_two_views_have_two_stems():
    with pytest.raises(BadInput, match="expected another stem than vision, given 'img' for both"):
        ENTRY.configure({"audio": "img"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"train_txt": np.zeros((29, 5))},
            "train_img: expected 29 rows, as many as train_txt, found 30",
        ),
        ({"train_img_lab": np.zeros((29, 1))}, "expected 30 labels, as many as rows of train_txt"),
        ({"test_txt": sparse.eye(12).tocsc()}, "test_txt: expected a full array, found csc"),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_key(content, reader, change, message):
    assert message in fault_of(reader(content | change).load)


def test_a_variable_of_another_name_is_told_with_those_that_are_there(content, reader, tmp_path):
    reader(content)
    savemat(tmp_path / "test_img.mat", {"test_image": content["test_img"]})
    said = fault_of(AvMat(ENTRY.configure({"path": tmp_path})).load)
    assert "test_img.mat: test_img: no such variable; did you mean 'test_image'?" in said


def test_files_of_another_kind_are_refused_in_one_line(content, reader, tmp_path):
    loader = reader(content)
    (tmp_path / "test_img.mat").write_bytes(b"no matrix")
    assert "test_img.mat: path: expected a .mat file: " in fault_of(loader.load)
    write_h5(tmp_path / "test_img.mat", {"test_img": content["test_img"]})
    with (tmp_path / "test_img.mat").open("rb") as written:
        hdf5 = written.read()
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "test_img.mat").write_bytes(header.ljust(512, b"\0") + hdf5)
    assert "a MATLAB v7.3 file, which is HDF5 and is not read; save it with -v7" in fault_of(loader.load)


def test_files_that_are_missing_are_told(content, reader, tmp_path):
    loader = reader(content)
    (tmp_path / "test_img_lab.mat").unlink()
    assert "no labels of test; expected test_img_lab.mat or test_txt_lab.mat" in fault_of(loader.prepare)
    (tmp_path / "train_txt.mat").unlink()
    assert "train_txt.mat: path: no such file" in fault_of(loader.fingerprint)
