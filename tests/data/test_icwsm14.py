"""The archive of rated movie reviews: what is admitted, what is written, what is read back."""

import csv
import hashlib
import json
import tarfile

import pytest
from review_archive import INNER, RATINGS, SENTENCES, pack, published, reviews, write_archive

from harness.data.icwsm14.archive import read_archive
from harness.data.icwsm14.fetch import fetch
from harness.data.icwsm14.prepare import prepare, ratings_file, read
from harness.data.icwsm14.ratings import from_csv, parse, to_csv
from harness.spec import BadInput


@pytest.fixture
def archive(tmp_path):
    file = tmp_path / "reviews.tar.gz"
    return file, write_archive(file, published(reviews(12)))


def parsed(tmp_path, sentences):
    files = published(sentences)
    return parse(tmp_path / "a", files[SENTENCES], files[RATINGS])


def test_every_single_rating_reaches_ratings_csv(archive, tmp_path):
    file, sha256 = archive
    said = prepare(file, tmp_path / "out", sha256=sha256)
    assert said[1].startswith("12 sentences, 12 different ones, ")
    assert said[1].endswith("36 ratings, 3 to 3 a sentence")
    with (tmp_path / "out/ratings.csv").open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    for row, (text, ratings) in zip(rows, reviews(12), strict=True):
        assert row["text"] == text
        assert [int(rating) for rating in row["ratings"].split()] == ratings
        assert float(row["mean"]) == pytest.approx(sum(ratings) / 3, abs=1e-6)


def test_the_manifest_has_the_hashes_of_what_was_read_and_written(archive, tmp_path):
    file, sha256 = archive
    prepare(file, tmp_path / "out", sha256=sha256)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    written = hashlib.sha256((tmp_path / "out/ratings.csv").read_bytes()).hexdigest()
    assert list(manifest["archive"].values()) == [sha256]
    assert manifest["files"] == {"ratings.csv": written}


def test_prepared_again_it_says_that_it_is_there_and_writes_nothing(archive, tmp_path):
    file, sha256 = archive
    first = prepare(file, tmp_path / "out", sha256=sha256)
    before = (tmp_path / "out/ratings.csv").stat().st_mtime_ns
    file.unlink()
    again = prepare(file, tmp_path / "out", sha256=sha256)
    assert first[0].startswith("written: ")
    assert again == (f"already there: {tmp_path / 'out/ratings.csv'}", *first[1:])
    assert (tmp_path / "out/ratings.csv").stat().st_mtime_ns == before


def test_another_archive_is_refused_with_both_hashes_and_leaves_no_trace(archive, tmp_path):
    file, sha256 = archive
    with pytest.raises(BadInput, match=f"expected SHA-256 {'0' * 64}, found {sha256}"):
        prepare(file, tmp_path / "deep/out", sha256="0" * 64)
    assert not (tmp_path / "deep").exists()


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"no\.tar\.gz: --archive: no such file"):
        prepare(tmp_path / "no.tar.gz", tmp_path / "out")


def link(name, target):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ({"../evil.txt": b"x"}, "unsafe member: .*evil.txt"),
        ({"evil": link("evil", "../../outside")}, "unsafe member: .*outside"),
        ({"evil": link("evil", "/etc/passwd")}, "unsafe member: .*evil"),
        ({SENTENCES: link(SENTENCES, "other.txt")}, f"no such file in the archive: {SENTENCES}"),
        ({SENTENCES: None}, f"no such file in the archive: {SENTENCES}"),
        ({RATINGS: None}, f"no such file in the archive: {RATINGS}"),
    ],
)
def test_a_member_that_leaves_the_folder_or_is_missing_is_refused(inner, expected, tmp_path):
    files = {name: it for name, it in (published(reviews(3)) | inner).items() if it is not None}
    sha256 = write_archive(tmp_path / "a.tar.gz", files)
    with pytest.raises(BadInput, match=expected):
        prepare(tmp_path / "a.tar.gz", tmp_path / "out", sha256=sha256)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize("content", [b"no archive", b"", pack({INNER: b"no archive"})])
def test_what_is_no_archive_is_one_line(content, tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(BadInput, match="not a gzipped tar archive"):
        read_archive(tmp_path / "a.tar.gz", hashlib.sha256(content).hexdigest())


def test_a_cut_or_damaged_archive_is_bad_input_wherever_the_damage_is(archive, tmp_path):
    whole = archive[0].read_bytes()
    for place in range(0, len(whole) // 2, 20):
        for content in (whole[:place], whole[:place] + b"?" * 20 + whole[place + 20 :]):
            (tmp_path / "bad.tar.gz").write_bytes(content)
            with pytest.raises(BadInput, match=r"bad\.tar\.gz: "):
                read_archive(tmp_path / "bad.tar.gz", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    "text",
    [
        'a "quoted word and another"',
        '"an opening quote without an end',
        "''two apostrophes'', a comma, and; more",
        "Touché – we’ve seen ½ of Amélie",
        "a line end of Unicode \u2028 inside \x85 it",
    ],
)
def test_quotes_and_letters_of_other_languages_survive(text, tmp_path):
    sentences = parsed(tmp_path, [(text, [1, 2]), ("plain", [0, 0])])
    (tmp_path / "r.csv").write_text(to_csv(sentences), encoding="utf-8", newline="\n")
    assert from_csv(tmp_path / "r.csv") == sentences
    assert sentences[0].text == " ".join(text.split())
    assert len(sentences) == 2


def test_a_byte_order_mark_is_no_part_of_an_id(tmp_path):
    files = {name: b"\xef\xbb\xbf" + content for name, content in published(reviews(2)).items()}
    assert parse(tmp_path, files[SENTENCES], files[RATINGS])[0].sentence_id == "1"


def test_latin_1_is_refused_instead_of_misread(tmp_path):
    files = published([("Touché", [1, 2])])
    latin = files[SENTENCES].decode().encode("latin-1")
    with pytest.raises(BadInput, match="expected UTF-8"):
        parse(tmp_path / "a", latin, files[RATINGS])


def test_sentences_of_the_same_words_are_one_review(tmp_path):
    rated = [("A pretentious mess", [1, 2]), ("Fine.", [1, 1]), ("a pretentious, MESS!", [0, 3])]
    assert [one.review_id for one in parsed(tmp_path, rated)] == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        (SENTENCES, b"3\t0.0\t ", "line 3: empty sentence"),
        (SENTENCES, b"7\t0.0\ttext", "line 3: sentence '7', but ratings of '3'"),
        (SENTENCES, b"3\t0.0", "line 3: expected 3 cells between tabs, found 2"),
        (SENTENCES, b"3\t0.5\ttext", r"line 3: expected mean 0\.5, found 0\.0"),
        (SENTENCES, b"3\tx\ttext", "line 3: expected mean x, found"),
        (RATINGS, b"3\t0\t0\t[1]", "line 3: expected two or more whole ratings in"),
        (RATINGS, b"3\t0\t0\t[5, -5]", "line 3: expected two or more whole ratings in"),
        (RATINGS, b"3\t0\t0\t[1.5, 0]", "line 3: expected two or more whole ratings in"),
        (RATINGS, b"3\t0\t0\t__import__('os')", "line 3: expected two or more whole ratings in"),
        (RATINGS, b"3\t0\t0\t[0, 0]\r\n4\t0\t0\t[0, 0]", "3 sentences, but ratings of 4"),
    ],
)
def test_a_line_that_does_not_fit_is_named(name, line, expected, tmp_path):
    files = published([("a", [1, 2]), ("b", [1, 2]), ("c", [0, 0])])
    files[name] = b"\r\n".join([*files[name].split(b"\r\n")[:2], line])
    with pytest.raises(BadInput, match=expected):
        parse(tmp_path / "a", files[SENTENCES], files[RATINGS])


def test_altered_ratings_are_refused(archive, tmp_path):
    file, sha256 = archive
    prepare(file, tmp_path / "out", sha256=sha256)
    with (tmp_path / "out/ratings.csv").open("a", encoding="utf-8") as target:
        target.write("13,13,more,1 2,1.5\n")
    with pytest.raises(BadInput, match="altered since it was prepared"):
        read(tmp_path / "out")


def test_a_folder_without_ratings_says_which_command_brings_them(tmp_path):
    with pytest.raises(BadInput, match="run `adviserbench data prepare icwsm14`"):
        ratings_file(tmp_path / "nothing")


def test_a_folder_that_holds_something_else_is_left_alone(archive, tmp_path):
    file, sha256 = archive
    with pytest.raises(BadInput, match="holds something else; choose another --path"):
        prepare(file, tmp_path, sha256=sha256)
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_a_folder_that_cannot_be_made_is_named(archive, tmp_path):
    file, sha256 = archive
    with pytest.raises(BadInput, match="--path: cannot be written"):
        prepare(file, file / "out", sha256=sha256)


def test_without_an_index_one_line_says_how_to_bring_the_archive(tmp_path, monkeypatch):
    # pip reads these like a user's own configuration; nothing is asked of a network.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(BadInput, match=r"^--archive: pip could not download") as caught:
        fetch(tmp_path)
    assert str(caught.value).endswith("on a machine that can, and name it with --archive FILE")
    assert "\n" not in str(caught.value)


def test_pip_checks_the_hash_before_it_reads_the_archive(archive, tmp_path, monkeypatch):
    links = tmp_path / "links"
    links.mkdir()
    (links / "vaderSentiment-3.3.2.tar.gz").write_bytes(archive[0].read_bytes())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    (tmp_path / "downloads").mkdir()
    with pytest.raises(BadInput, match=f"expected SHA-256 {'0' * 64}, found {archive[1]}"):
        fetch(tmp_path / "downloads", "0" * 64)
