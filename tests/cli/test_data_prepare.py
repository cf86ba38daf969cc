"""`adviserbench data prepare` as its users meet it."""

import sys
from pathlib import Path

import pytest
from review_archive import published, reviews, write_archive

from harness.cli import main
from harness.data.icwsm14.prepare import prepare


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["adviserbench", "data", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def prepared(command):
    sha256 = write_archive(Path("reviews.tar.gz"), published(reviews(40)))
    prepare(Path("reviews.tar.gz"), None, sha256=sha256)


def test_what_is_there_is_said_and_left_alone(command, prepared):
    code, out, err = command("prepare", "icwsm14")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "already there: data/icwsm14/ratings.csv",
        "40 sentences, 40 different ones, each taken for a review of its own; "
        "120 ratings, 3 to 3 a sentence",
    ]


def test_clips_are_made_of_what_was_prepared(command, prepared):
    counts = ("train_clips=4", "valid_clips=2", "test_clips=2")
    small = ("size=32", "frames=4", "grid=4", "mel_bands=8", "path=clips")
    code, out, _ = command("make", "rendered_sentiment", "sentences=icwsm14", *counts, *small)
    assert code == 0
    assert out.startswith("semi-real: real sentences, rendered faces and voices; ICWSM 2014")
    assert Path("clips/label.csv").is_file()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["prepare", "icwsm"], "NAME: nothing called 'icwsm' can be prepared; did you mean 'icwsm14'"),
        (["prepare", "icwsm14", "--archive", "no.tar.gz"], "error: no.tar.gz: --archive: no such file"),
        (
            ["prepare", "icwsm14", "--archive", "other.tar.gz", "--path", "a/b"],
            "not vaderSentiment-3.3.2.tar.gz as published: expected SHA-256 5d7c06e027fc8b99",
        ),
        (["prepare", "icwsm14"], "--archive: pip could not download vaderSentiment-3.3.2.tar.gz"),
        (
            ["make", "rendered_sentiment", "sentences=icwsm14"],
            "nothing is prepared there: run `adviserbench data prepare icwsm14`",
        ),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_trace(words, expected, command, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    Path("other.tar.gz").write_bytes(b"another")
    code, out, err = command(*words)
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert expected in err
    assert [file.name for file in Path().iterdir()] == ["other.tar.gz"]
