"""Clips of real sentences: which are taken, what is shown, what the labels are, and what is refused."""

import csv
import json

import numpy as np
import pytest
from review_archive import published, reviews, write_archive

from harness.data.icwsm14.prepare import prepare, read
from harness.data.rendered.config import Rendering
from harness.data.rendered_sentiment import RenderedSentiment
from harness.registry import DATASETS
from harness.spec import BadInput

ENTRY = DATASETS.get("rendered_sentiment")
SMALL = {"train_clips": 6, "valid_clips": 4, "test_clips": 5}
HEADER = "video_id,clip_id,text,label,annotation,mode"


def reader(**params):
    return RenderedSentiment(ENTRY.configure({**ENTRY.tiny, **SMALL, **params}))


def lines(**params):
    made = reader(**params)
    return made.config.source().lines(made.config)


def table(folder):
    with (folder / "label.csv").open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


@pytest.fixture
def spoken(tmp_path):
    """A label.csv of 4 + 3 + 3 videos with three clips each."""
    videos = {"train": "abcd", "valid": "efg", "test": "hij"}
    rows = [
        f'{video},{clip},"Said ""{video}"", {clip} times",{ord(video) % 9 / 2 - 2 + clip / 4},x,{mode}'
        for mode, names in videos.items()
        for video in names
        for clip in range(3)
    ]
    file = tmp_path / "spoken.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return {"sentences": "label_csv", "sentences_path": file}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """40 rated sentences, of which 30 and 31 are one review."""
    place = tmp_path_factory.mktemp("reviews")
    rated = [*reviews(38), ("The same words.", [-4, 0, 1]), ("the same WORDS", [4, 3, -1])]
    sha256 = write_archive(place / "a.tar.gz", published(rated))
    prepare(place / "a.tar.gz", place / "icwsm14", sha256=sha256)
    return place / "icwsm14"


@pytest.fixture
def rated(folder):
    return {"sentences": "icwsm14", "sentences_path": folder}


@pytest.fixture(params=["spoken", "rated"])
def real(request):
    return request.getfixturevalue(request.param)


def test_sentences_splits_and_videos_of_a_label_csv_are_kept(spoken):
    with spoken["sentences_path"].open(newline="") as source:
        given = {(row["video_id"], row["clip_id"]): row for row in csv.DictReader(source)}
    taken = lines(**spoken, label_sd=0)
    assert len(taken) == 6 + 4 + 5
    for one in taken:
        row = given[one.video_id, one.clip_id]
        assert (one.text, one.mode) == (row["text"], row["mode"])
        assert one.label == one.true_score == float(row["label"])


def test_labels_of_a_label_csv_get_noise_in_train_and_valid_only(spoken):
    taken = lines(**spoken, label_sd=1.0)
    assert all(one.label == one.true_score for one in taken if one.mode == "test")
    assert sum(one.label != one.true_score for one in taken if one.mode != "test") == 10


def test_a_label_csv_with_fewer_sentences_than_asked_for_is_used_whole(spoken):
    taken = lines(**spoken, train_clips=600, valid_clips=200, test_clips=800)
    assert [sum(one.mode == mode for one in taken) for mode in ("train", "valid", "test")] == [12, 9, 9]


def test_at_most_one_video_is_cut(spoken):
    videos = [one.video_id for one in lines(**spoken, train_clips=7) if one.mode == "train"]
    assert sorted(videos.count(video) for video in set(videos)) == [1, 3, 3]


def test_the_seed_chooses_the_videos(spoken):
    chosen = {
        tuple(one.video_id for one in lines(**spoken, seed=seed) if one.mode == "train")
        for seed in range(8)
    }
    assert len(chosen) > 2


@pytest.mark.parametrize("seed", range(5))
def test_sentences_of_one_review_are_in_one_split_and_of_one_face(rated, folder, seed):
    review = {one.sentence_id.zfill(5): one.review_id for one in read(folder)}
    homes = {}
    for one in lines(**rated, seed=seed, train_clips=20, valid_clips=10, test_clips=9):
        assert one.video_id == f"review{review[one.clip_id].zfill(5)}"
        homes.setdefault(review[one.clip_id], set()).add(one.mode)
    assert all(len(modes) == 1 for modes in homes.values())


def test_a_label_is_one_rating_and_the_score_shown_is_the_mean_of_the_others(rated, folder):
    ratings = {one.sentence_id.zfill(5): one.ratings for one in read(folder)}
    for one in lines(**rated, train_clips=20, valid_clips=10):
        given = [rating * 0.75 for rating in ratings[one.clip_id]]
        if one.mode == "test":
            assert one.label == one.true_score == pytest.approx(np.mean(given), abs=1e-4)
        else:
            given.remove(one.label)
            assert one.true_score == pytest.approx(np.mean(given), abs=1e-4)


def test_every_rater_is_drawn(rated, folder):
    ratings = {one.sentence_id.zfill(5): one.ratings for one in read(folder)}
    drawn = {
        ratings[one.clip_id].index(round(one.label / 0.75))
        for seed in range(5)
        for one in lines(**rated, seed=seed)
        if one.mode != "test" and len(set(ratings[one.clip_id])) == 3
    }
    assert drawn == {0, 1, 2}


def test_labels_may_be_mean_ratings_or_noisy_ones(rated):
    exact = lines(**rated, label_source="mean_rating")
    noisy = lines(**rated, label_source="noisy", label_sd=1.0)
    assert all(one.label == one.true_score for one in exact)
    assert [one.true_score for one in noisy] == [one.true_score for one in exact]
    assert any(one.label != one.true_score for one in noisy if one.mode == "train")
    assert all(one.label == one.true_score for one in noisy if one.mode == "test")


def test_more_training_clips_leave_the_others_as_they_were(real):
    few, many = (lines(**real, train_clips=count) for count in (4, 9))
    assert [one for one in many if one.mode != "train"] == [one for one in few if one.mode != "train"]
    assert many[:4] == few[:4]


def test_faces_and_voices_are_near_the_score_as_configured(real):
    exact, rough = (lines(**real, face_sd=sd, voice_sd=sd) for sd in (0, 1.0))
    assert all(one.label_V == one.label_A == one.true_score for one in exact)
    assert all(one.label_T == one.true_score for one in rough)
    assert any(abs(one.label_V - one.true_score) > 0.3 for one in rough)
    assert all(-3 <= one.label_V <= 3 for one in rough)


def test_real_sentences_go_through_real_files_to_tensors(real, tmp_path):
    made = reader(**real, path=tmp_path / "set")
    data = made.load()
    rows = table(tmp_path / "set")
    assert data.train.transcripts == tuple(row["text"] for row in rows if row["mode"] == "train")
    assert data.test.target.tolist() == pytest.approx(
        [float(row["true_score"]) for row in rows if row["mode"] == "test"]
    )
    assert data.train.frames.values.shape == (6, 4, 3, 32, 32)
    assert data.findings[0].startswith("semi-real: real sentences, rendered faces and voices; ")


def test_the_same_seed_gives_the_same_table_and_another_seed_another(real, tmp_path):
    for name, seed in (("one", 0), ("two", 0), ("other", 1)):
        reader(**real, path=tmp_path / name, seed=seed).prepare()
    tables = {name: (tmp_path / name / "label.csv").read_bytes() for name in ("one", "two", "other")}
    assert tables["one"] == tables["two"] != tables["other"]


def test_findings_say_what_is_used_and_how_noisy_labels_are(spoken, rated):
    config = reader(**spoken).config
    of_file = config.source().findings(config)
    assert of_file[1] == "sentences of that file: train 6 of 12, valid 4 of 9, test 5 of 9"
    config = reader(**rated, train_clips=20, valid_clips=9, test_clips=11).config
    of_reviews = config.source().findings(config)
    errors = [one.label - one.true_score for one in config.source().lines(config) if one.mode != "test"]
    assert of_reviews[1].startswith("40 sentences, 39 different ones, ")
    spread = [np.var(np.multiply(one.ratings, 0.75), ddof=1) for one in read(rated["sentences_path"])]
    assert f"sd between raters {np.sqrt(np.mean(spread)):.2f}" in of_reviews[2]
    assert f"sd of label - true score {np.std(errors):.2f}" in of_reviews[3]
    assert of_reviews[3].endswith(f"mean distance {np.mean(np.abs(errors)):.2f}")


def test_other_sentences_are_another_set_wherever_the_file_lies(spoken, tmp_path):
    first = reader(**spoken).folder()
    moved = spoken["sentences_path"].rename(tmp_path / "moved.csv")
    assert reader(sentences="label_csv", sentences_path=moved).folder() == first
    moved.write_text(moved.read_text().replace("Said", "Told"))
    assert reader(sentences="label_csv", sentences_path=moved).folder() != first


def test_a_set_of_other_sentences_is_refused(spoken, tmp_path):
    reader(**spoken, path=tmp_path / "set").prepare()
    file = spoken["sentences_path"]
    manifest = json.loads((tmp_path / "set/manifest.json").read_text())
    assert manifest["source"]["sentences"] == "label_csv"
    file.write_text(file.read_text().replace("Said", "Told"))
    with pytest.raises(BadInput, match="made from other numbers or sentences"):
        reader(**spoken, path=tmp_path / "set").prepare()


def test_generated_sets_keep_the_identity_they_had_before_real_sentences():
    # Clips of this digest lie on users' disks.
    assert Rendering().rendering_digest() == "5f790dd251721779"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["a,1,good,1.0,x,train", 'b,1," ",0,x,valid'], r"text: line 3: empty sentence"),
        (['a,1,"two\nlines",1.0,x,train', "b,1,,0,x,valid"], r"text: line 4: empty sentence"),
        (["a,1,good,3.5,x,train"], r"label: line 2: expected a score in \[-3, 3\], given 3\.5"),
        (["a,1,good,nan,x,train"], r"label: line 2: expected a score in \[-3, 3\], given nan"),
        (["a,1,good,much,x,train"], r"label: line 2: expected a number, given 'much'"),
        (["a,1,good,1,x,trian"], "did you mean 'train'"),
        (["../a,1,good,1,x,train"], "expected the name of a file"),
        (["a,1,good,1,x,train"], "valid: no clips in this split"),
        ([f"a,1,x,1,x,{mode}" for mode in ("train", "valid", "test")], r"clip 'a\$_\$1' is in"),
        (
            [f"a,{clip},x,1,x,{mode}" for clip, mode in enumerate(("train", "valid", "test"))],
            "videos are in two splits",
        ),
    ],
)
def test_a_label_csv_that_cannot_be_used_is_named_with_its_line(rows, expected, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=rf"bad\.csv: .*{expected}"):
        lines(sentences="label_csv", sentences_path=file)


def test_a_label_csv_in_latin_1_is_refused_instead_of_misread(spoken):
    file = spoken["sentences_path"]
    file.write_bytes(file.read_text().replace("Said", "Touché").encode("latin-1"))
    with pytest.raises(BadInput, match="sentences_path: not a UTF-8 CSV file"):
        lines(**spoken)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"sentences": "label_csv"}, "sentences_path: missing; expected the path of a label.csv"),
        ({"sentences_path": "a.csv"}, "sentences_path: expected null, as sentences are generated"),
        ({"label_source": "single_rating"}, "label_source: expected noisy or null"),
        ({"sentences": "reviews"}, "Input should be 'generated', 'label_csv' or 'icwsm14'"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(params, expected):
    with pytest.raises(BadInput, match=expected):
        reader(**params)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(BadInput, match=r"no\.csv: sentences_path: no such file"):
        reader(sentences="label_csv", sentences_path=tmp_path / "no.csv").prepare()
    with pytest.raises(BadInput, match=r"sentences_path: .*run `adviserbench data prepare icwsm14`"):
        reader(sentences="icwsm14", sentences_path=tmp_path / "no").prepare()


def test_more_clips_than_rated_sentences_are_refused(rated):
    with pytest.raises(BadInput, match=r"ratings\.csv: train_clips: .* 31 clips, given 32"):
        lines(**rated, train_clips=32)
