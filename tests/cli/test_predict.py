"""``adviserbench predict``: a trained model says what its trial stored; what is refused is one line."""

import csv
import json

import pytest
from leaving import command_on, trained_store
from toy import Toy, ToyConfig

from harness.cli import predict as commands
from harness.engine.info_file import INFO_FILE
from harness.engine.trial import CHECKPOINT_FILE
from harness.spec import BadInput, Failure
from harness.study.trials import find_trial, load_trained

DATA = Toy(ToyConfig()).load()
ARMS = ("advised", "bag", "gru", "lf_dnn")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return trained_store(tmp_path_factory.mktemp("words"))


@pytest.fixture
def predict(store, monkeypatch, tmp_path, capsys):
    """The command on that store."""
    return command_on(store, commands, monkeypatch, tmp_path, capsys)


@pytest.fixture
def without(store, monkeypatch):
    """Makes the store forget a file of every trial."""

    def forget(name):
        kept = store.artifact
        found = {name: lambda *_: None}
        monkeypatch.setattr(store, "artifact", lambda trial, given: found.get(given, kept)(trial, given))

    return forget


def stored(store, arm):
    """Scores of the test clips as the trial evaluated them."""
    table = store.predictions(find_trial(store, f"words/{arm}/0").trial_id)
    return table[table["split"] == "test"]["score"].tolist()


@pytest.mark.parametrize("arm", ARMS)
def test_a_model_without_its_data_says_what_its_trial_said(store, arm):
    again = load_trained(store, f"words/{arm}")
    assert again.info.train_transcripts == ()
    assert again.says(DATA.test).score.tolist() == pytest.approx(stored(store, arm), abs=1e-6)


def test_a_table_of_texts_gives_the_scores_of_the_trial_unrounded(predict, store, tmp_path):
    table, written = tmp_path / "texts.csv", tmp_path / "scores.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text"])
        rows.writerows(zip(DATA.test.ids, DATA.test.transcripts, strict=True))
    code, printed, _ = predict("words/gru/0", "--csv", str(table))
    assert code == 0
    found = list(csv.DictReader(printed.splitlines()))
    assert [row["text"] for row in found] == list(DATA.test.transcripts)
    assert [float(row["score"]) for row in found] == pytest.approx(stored(store, "gru"), abs=1e-6)
    assert predict("words/gru/0", "--csv", str(table), "--write", str(written))[1] == ""
    assert written.read_text() == printed


def test_texts_are_answered_a_line_each_with_their_level(predict, store):
    code, printed, _ = predict("words/advised", "--text", "it was good", "--text", "IT WAS GOOD")
    lines = printed.splitlines()
    assert code == 0
    # All capitals are read in lower case.
    assert lines[0].replace("it was good", "IT WAS GOOD") == lines[1]
    model = load_trained(store, "words/advised")
    level = lines[0].split("level ")[1].split()[0]
    assert float(level) in model.info.levels(7).tolist()


def test_json_has_the_scores_and_the_trial(predict, store):
    _, printed, _ = predict("words/bag/1", "--text", "it was „good“", "--json")
    found = json.loads(printed)
    trial = find_trial(store, "words/bag/1")
    assert found["trial_id"] == trial.trial_id
    assert found["texts"][0]["text"] == "it was „good“"
    assert set(found["texts"][0]) == {"text", "score"}


def test_a_trial_is_known_by_its_id_and_how_it_begins(store):
    whole = find_trial(store, "words/advised/1").trial_id
    assert find_trial(store, whole).trial_id == whole
    assert find_trial(store, whole[:8]).trial_id == whole
    assert find_trial(store, "words/advised").spec.seed == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("nonsense", "TRIAL: no trial's id begins with 'nonsense'"),
        ("words", "'words' is a study; expected words/ARM with one of advised, bag, gru, lf_dnn"),
        ("word/gru", "no study 'word' in this store; did you mean 'words'?"),
        ("words/grus", "no arm 'grus' in study 'words'; did you mean 'gru'?"),
        ("words/gru/7", "'gru' of 'words' has no seed 7; known: 0, 1"),
    ],
)
def test_a_trial_that_is_not_there_is_one_line(predict, given, expected):
    code, out, err = predict(given, "--text", "good")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert expected in err


def test_a_beginning_that_several_trials_have_names_them(store, monkeypatch):
    monkeypatch.setattr(store, "trials", lambda: dict.fromkeys(("abc1", "abc2", "b"), "complete"))
    with pytest.raises(BadInput, match=r"TRIAL: 2 trials begin with 'abc': abc1, abc2$"):
        find_trial(store, "abc")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": "pruned"}, "is pruned, expected a complete trial"),
        (
            {"state": "failed", "failure": Failure(message="no disk", traceback="")},
            r"words/gru \(\w+\) failed: no disk",
        ),
        (None, "has no result yet"),
    ],
)
def test_a_trial_that_is_not_complete_is_refused(store, monkeypatch, changes, expected):
    result = find_trial(store, "words/gru")
    found = None if changes is None else result.model_copy(update=changes)
    monkeypatch.setattr(store, "get", lambda trial: found)
    with pytest.raises(BadInput, match=expected):
        find_trial(store, "words/gru")


@pytest.mark.parametrize(
    ("name", "expected"),
    [(CHECKPOINT_FILE, "it was imported without"), (INFO_FILE, "run the study again")],
)
def test_a_trial_without_its_files_says_what_helps(predict, without, name, expected):
    without(name)
    code, _, err = predict("words/gru", "--text", "good")
    assert (code, len(err.splitlines())) == (2, 1)
    assert expected in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "expected either --text or --csv, given neither"),
        (("--text", "a", "--csv", "b.csv"), "given both"),
        (("--text", "  "), "--text: is empty"),
        (("--csv", "nowhere.csv"), "nowhere.csv: --csv: cannot be read as a CSV of UTF-8: No such file"),
        (("--text", "a", "--write", "/nowhere/x"), "/nowhere/x: --write: cannot be written"),
    ],
)
def test_what_is_given_wrongly_is_one_line(predict, words, expected):
    code, out, err = predict("words/gru", *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert expected in err


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id,txt\n1,a\n", "no column 'text'; did you mean 'txt'?"),
        ('text\na\n""\n', "row 2: is empty"),
        ("text\n", "has no rows"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(predict, tmp_path, content, expected):
    table = tmp_path / "texts.csv"
    table.write_text(content)
    code, _, err = predict("words/gru", "--csv", str(table))
    assert (code, len(err.splitlines())) == (2, 1)
    assert str(table) in err
    assert expected in err


def test_a_model_that_reads_more_than_words_names_what_it_reads(predict):
    code, _, err = predict("words/lf_dnn", "--text", "good")
    assert code == 2
    assert "'lf_dnn' reads audio, text, vision of a clip" in err
