import pickle

import numpy as np
import pytest
import torch
from mmsa_samples import SIZES, T_AUDIO, T_VISION, L, split

from harness.data.mmsa import Mmsa
from harness.registry import DATASETS
from harness.spec import BadInput

ENTRY = DATASETS.get("mmsa")


@pytest.fixture
def content():
    return {name: split(name, count) for name, count in SIZES.items()}


@pytest.fixture
def aligned():
    return {name: split(name, count, aligned=True) for name, count in SIZES.items()}


@pytest.fixture
def load(tmp_path):
    def load(content, **changes):
        file = tmp_path / "mosi.pkl"
        file.write_bytes(pickle.dumps(content))
        return Mmsa(ENTRY.configure({"path": file, **changes})).load()

    return load


@pytest.fixture
def fault(load):
    def fault(content, **changes):
        with pytest.raises(BadInput) as caught:
            load(content, **changes)
        said = str(caught.value)
        assert "mosi.pkl: " in said
        assert "\n" not in said
        return said

    return fault


def test_every_key_arrives(content, load):
    data = load(content)
    assert [len(batch) for batch in (data.train, data.valid, data.test)] == [6, 3, 4]
    train = content["train"]
    assert data.train.ids == tuple(train["id"])
    assert data.train.video_ids == ("train0", "train0", "train1", "train1", "train2", "train2")
    assert data.train.transcripts == data.info.train_transcripts == tuple(train["raw_text"])
    assert data.train.target.tolist() == train["regression_labels"].tolist()
    for view in ("text", "audio", "vision"):
        assert getattr(data.train, view).values.tolist() == train[view].tolist()
    assert (data.info.text_width, data.info.audio_width, data.info.vision_width) == (3, 2, 6)
    assert data.info.views == {"transcript", "token_ids", "text", "audio", "vision"}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_token_ids_are_read_from_either_layout_up_to_their_mask(content, load, turned, kind):
    for stored in content.values():
        bert = stored["text_bert"].astype(kind)
        stored["text_bert"] = bert.transpose(0, 2, 1) if turned else bert
    found = load(content).train.token_ids
    ids, mask = (content["train"]["text_bert"].astype(np.int64) for _ in range(2))
    ids, mask = (ids.transpose(0, 2, 1)[:, row] if turned else ids[:, row] for row in (0, 1))
    assert found.mask.long().tolist() == mask.tolist()
    assert found.values.tolist() == (ids * mask).tolist()


def test_the_longest_sequences_of_any_split_are_known(content, load):
    data = load(content)
    for view in ("text", "vision", "audio"):
        lengths = [getattr(split, view).lengths.max() for split in (data.train, data.valid, data.test)]
        assert data.info.steps(view) == max(lengths)


def test_stored_lengths_win_as_a_list_and_as_an_array(content, load):
    expected = content["train"]["audio_lengths"]
    assert load(content).train.audio.lengths.tolist() == expected
    for kind in (np.int64, np.float64):
        content["train"]["audio_lengths"] = np.array(expected, kind)
        assert load(content).train.audio.lengths.tolist() == expected


def test_zero_rows_inside_a_sequence_do_not_shorten_it(content, load):
    content["train"]["audio_lengths"][0] = T_AUDIO
    content["train"]["audio"][0] = 0
    content["train"]["audio"][0, -1] = 1
    content["train"]["audio"][0, 0] = 1
    assert load(content).train.audio.lengths[0] == T_AUDIO


def test_text_is_as_long_as_its_tokens(content, load):
    expected = content["train"]["text_bert"][:, 1].sum(1)
    assert load(content).train.text.lengths.tolist() == expected.tolist()


def test_aligned_files_have_the_lengths_of_their_tokens(aligned, load):
    data = load(aligned)
    for view in ("audio", "vision"):
        assert torch.equal(getattr(data.train, view).mask, data.train.text.mask)
    assert any("train.audio" in line and "attention mask of text_bert" in line for line in data.findings)


def test_without_any_lengths_the_padding_is_taken_for_data_and_said(content, load):
    for part in content.values():
        for key in ("text_bert", "audio_lengths", "vision_lengths"):
            del part[key]
    data = load(content)
    for view, longest in (("text", L), ("audio", T_AUDIO), ("vision", T_VISION)):
        assert data.train.only({view}).video_ids
        assert getattr(data.train, view).lengths.unique().tolist() == [longest]
        assert any(
            f"train.{view}" in line and "from the padded length" in line for line in data.findings
        )


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.float32])
@pytest.mark.parametrize("transposed", [False, True])
def test_text_bert_is_understood_in_every_published_layout(content, load, dtype, transposed):
    expected = load(content).train.text.mask
    for part in content.values():
        found = part["text_bert"].astype(dtype)
        part["text_bert"] = found.transpose(0, 2, 1) if transposed else found
    assert torch.equal(load(content).train.text.mask, expected)


def test_keys_beside_the_splits_are_not_data(content, load):
    content["config"] = {"audio": {"tool": "openSMILE"}, "seed": 1}
    assert len(load(content).train) == 6


def test_sequences_padded_in_front_are_read_when_the_study_says_so(content, load, fault):
    expected = load(content)
    for part in content.values():
        for view, longest in (("audio", T_AUDIO), ("vision", T_VISION)):
            for row, length in enumerate(part[f"{view}_lengths"]):
                part[view][row] = np.roll(part[view][row], longest - length, axis=0)
    assert "have zeros before their steps" in fault(content)
    data = load(content, padding="front")
    assert torch.equal(data.train.audio.values, expected.train.audio.values)
    assert torch.equal(data.test.vision.mask, expected.test.vision.mask)


def test_values_after_the_length_are_not_read_and_counted(content, load):
    content["valid"]["audio_lengths"][1] = 3
    content["valid"]["audio"][1] = 1
    data = load(content)
    assert (data.valid.audio.values[1, 3:] == 0).all()
    assert "valid.audio: 1 clips have values outside their length; those are not read" in data.findings


def test_non_finite_features_are_counted_by_key_and_refused(content, fault):
    content["test"]["audio"][0, 0] = -np.inf
    content["test"]["audio"][1, 0, 0] = np.nan
    said = fault(content)
    assert (
        "test.audio: 1 NaN, 2 -inf among 56 values; to read them as 0 set fill_non_finite: zero" in said
    )


def test_non_finite_features_become_zero_when_the_study_says_so(content, load):
    content["test"]["audio"][0, 0] = -np.inf
    data = load(content, fill_non_finite="zero")
    assert (data.test.audio.values[0, 0] == 0).all()
    assert "test.audio: 2 -inf among 56 values read as 0 (fill_non_finite)" in data.findings


def test_labels_are_never_filled(content, fault):
    content["valid"]["regression_labels"][1] = np.nan
    said = fault(content, fill_non_finite="zero")
    assert "valid.regression_labels: 1 of 3 labels are NaN or infinite" in said


def test_labels_stay_in_the_range_of_the_task(content, fault, load):
    content["train"]["regression_labels"][:2] = 3.2
    assert "2 of 6 labels are outside label_range [-3, 3], such as 3.2" in fault(content)
    assert load(content, label_range=(-4, 4)).info.label_range == (-4, 4)


def test_standardised_features_agree_with_numpy(content, load):
    for part in content.values():
        part["vision"][..., 5] = 1.25
    data = load(content, standardise="train")
    exist = np.arange(T_VISION) < np.array(content["train"]["vision_lengths"])[:, None]
    steps = content["train"]["vision"][exist].astype(np.float64)
    sd = np.where(np.ptp(steps, 0) == 0, 1, steps.std(0))
    for name in SIZES:
        batch = getattr(data, name).vision
        raw = content[name]["vision"]
        np.testing.assert_allclose(
            batch.values[batch.mask], ((raw - steps.mean(0)) / sd)[batch.mask], atol=1e-5
        )
        assert (batch.values[~batch.mask] == 0).all()


def test_the_fingerprint_changes_with_a_byte(content, load, tmp_path):
    load(content)
    reader = Mmsa(ENTRY.configure({"path": tmp_path / "mosi.pkl"}))
    before = reader.fingerprint()
    with (tmp_path / "mosi.pkl").open("ab") as file:
        file.write(b"\0")
    assert len(before) == 64
    assert reader.fingerprint() != before


def _set(split, key, value):
    return lambda content: content[split].update({key: value})


def _remove(split, key):
    return lambda content: content[split].pop(key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("valid"), "valid: no such key; found: train, test"),
        (lambda content: content.update(test=[]), "test: expected a dict of keys, found list"),
        (_remove("train", "vision"), "train.vision: no such key; did you mean 'vision_lengths'?"),
        (_remove("test", "regression_labels"), "test.regression_labels: no such key"),
        (
            _set("train", "raw_text", ["a"]),
            "train.raw_text: expected 6 strings, as many as ids, found 1",
        ),
        (_set("train", "raw_text", [1] * 6), "train.raw_text: expected strings, found int"),
        (
            _set("train", "audio", np.zeros((5, 7, 2))),
            "train.audio: expected shape (6, T, D), found (5, 7, 2)",
        ),
        (
            _set("train", "audio", np.zeros((6, 2))),
            "train.audio: expected shape (6, T, D), found (6, 2)",
        ),
        (
            _set("train", "audio", [[1.0]]),
            "train.audio: expected an array of numbers (6, T, D), found list",
        ),
        (
            _set("test", "text", np.zeros((4, 5, 9))),
            "test.text: expected 3 columns as in train, found 9",
        ),
        (_set("train", "regression_labels", np.zeros((6, 1))), "expected shape (6,), found (6, 1)"),
        (
            _set("train", "audio_lengths", [1]),
            "train.audio_lengths: expected 6 integers, found int64 (1,)",
        ),
        (
            _set("train", "audio_lengths", [9] * 6),
            "expected integers from 0 to 7, the padded length, found 9 to 9",
        ),
        (
            _set("train", "audio_lengths", [1.5] * 6),
            "train.audio_lengths: expected integers from 0 to 7",
        ),
        (
            _set("train", "text_bert", np.zeros((6, 3, 9))),
            "train.text_bert: expected shape (6, 3, 5) or (6, 5, 3)",
        ),
        (
            _set("train", "text_bert", np.full((6, 3, 5), 2)),
            "train.text_bert: expected 0 and 1 only in row 1",
        ),
        (
            _set("train", "text_bert", np.array([[[0, 0, 1, 1, 1]] * 3] * 6)),
            "expected tokens before padding",
        ),
        (
            _set("valid", "id", ["a1", "a2", "a3"]),
            "valid.id: expected <video_id>$_$<clip_id>, found 'a1'",
        ),
        (_set("valid", "id", ["v$_$1", "v$_$1", "v$_$2"]), "id: clip 'v$_$1' is twice in valid"),
        (
            _set("valid", "id", ["v$_$1", "v$_$2", "train0$_$0000"]),
            "is in train and in valid; expected every clip",
        ),
        (
            _set("valid", "id", ["v$_$1", "v$_$2", "train0$_$9"]),
            "1 videos are in two splits, such as 'train0'",
        ),
    ],
)
def test_a_fault_is_told_in_one_line_with_file_and_key(content, fault, change, message):
    change(content)
    assert message in fault(content)


def test_no_clips_in_a_split_is_refused(content, fault):
    content["valid"] = {key: value[:0] for key, value in content["valid"].items()}
    assert "valid: no clips in this split" in fault(content)


def test_a_shared_video_is_accepted_when_the_study_says_so(content, load):
    content["valid"]["id"] = ["v$_$1", "v$_$2", "train0$_$9"]
    data = load(content, allow_shared_videos=True)
    assert "1 videos have clips in two splits (allow_shared_videos)" in data.findings


def test_ids_may_come_as_arrays(content, load):
    expected = load(content).train
    for kind in (str, object):
        content["train"]["id"] = np.array(content["train"]["id"], dtype=kind)
        content["train"]["raw_text"] = np.array(content["train"]["raw_text"], dtype=kind)
        found = load(content).train
        assert (found.ids, found.transcripts) == (expected.ids, expected.transcripts)


def test_a_pickle_of_another_shape_is_refused(fault):
    assert "path: expected a dict of train, valid, test, found list" in fault([1, 2])


def test_no_path_a_folder_and_a_missing_file_are_told_apart(tmp_path):
    for path, message in (
        (None, "path: missing; expected the path of an MMSA feature pickle"),
        (tmp_path, "path: expected a file, found a folder"),
        (tmp_path / "no.pkl", "no.pkl: path: no such file"),
    ):
        reader = Mmsa(ENTRY.configure({"path": path}))
        for use in (reader.prepare, reader.fingerprint, reader.load):
            with pytest.raises(BadInput) as caught:
                use()
            assert message in str(caught.value)


def test_what_was_found_is_told(content, load):
    findings = load(content).findings
    assert findings[0].startswith("MMSA features, SHA-256 ")
    assert (
        findings[1] == "clips: train 6 of 3 videos, valid 3 of 2 videos, test 4 of 2 videos; dropped: 0"
    )
    assert any(line.startswith("test.vision: (4, 4, 6), lengths ") for line in findings)
