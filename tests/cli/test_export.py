"""``adviserbench export``: what leaves says the same without us, and what cannot leave is one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from leaving import command_on, trained_store
from toy import Toy, ToyConfig

from harness.cli import export as commands
from harness.contracts import ExportsToHub
from harness.engine.export import formats
from harness.engine.export import sample as samples
from harness.engine.export.export import export
from harness.engine.trained import clips_of
from harness.spec import BadInput
from harness.study.trials import load_trained

TEXTS = ("it was good and good", "IT WAS AWFUL", "Plain, and fair", "so " * 100, "superb")
ALONE = """
import importlib.util, json, sys
sys.path = [path for path in sys.path if path and path not in {checkouts!r}]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
assert importlib.util.find_spec("harness") is None
folder, texts = json.loads(sys.stdin.readline())
{code}
print(json.dumps(scores))
"""
HUB = """
from transformers import AutoModel, AutoTokenizer
model = AutoModel.from_pretrained(folder, trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained(folder)
print()
assert not model.training
scores = model.score(texts, tokenizer)
"""
ONNX = """
import numpy, onnxruntime
from tokenizers import Tokenizer
rules = json.load(open(folder + "/config.json"))
if rules["lowercase_capitals"]:
    texts = [text if any(c.islower() for c in text) else text.lower() for text in texts]
encoded = Tokenizer.from_file(folder + "/tokenizer.json").encode_batch(texts)
given = {"tokens": numpy.array([one.ids for one in encoded], numpy.int64),
         "tokens_mask": numpy.array([one.attention_mask for one in encoded], bool)}
session = onnxruntime.InferenceSession(folder + "/model.onnx")
scores = session.run(["score"], given)[0].tolist()
assert not {"torch", "transformers"} & set(sys.modules)
"""
TORCH = """
import torch
from tokenizers import Tokenizer
rules = json.load(open(folder + "/config.json"))
if rules["lowercase_capitals"]:
    texts = [text if any(c.islower() for c in text) else text.lower() for text in texts]
encoded = Tokenizer.from_file(folder + "/tokenizer.json").encode_batch(texts)
given = torch.tensor([one.ids for one in encoded]), torch.tensor([one.attention_mask for one in encoded])
model = torch.export.load(folder + "/model.pt2").module()
scores = model(given[0], given[1].bool())[rules["outputs"].index("score")].tolist()
assert "transformers" not in sys.modules
"""
CODE = {"hf": HUB, "onnx": ONNX, "torch": TORCH}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return trained_store(tmp_path_factory.mktemp("words"))


@pytest.fixture
def command(store, monkeypatch, tmp_path, capsys):
    """The command on that store."""
    return command_on(store, commands, monkeypatch, tmp_path, capsys)


def alone(to, folder, home):
    """The scores of `TEXTS` in a process that does not know this package, from another folder."""
    root = Path(__file__).parents[2]
    code = ALONE.format(checkouts=[str(root), str(root / "tests" / "support")], code=CODE[to])
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        input=json.dumps([str(folder), TEXTS]) + "\n",
        cwd=home,
        env={"HF_HOME": str(home / "hf"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(
        done.stdout.splitlines()[-1].removeprefix("Do you wish to run the custom code? [y/N] ")
    )


def said(store, trial):
    """What the model says of `TEXTS` here."""
    return load_trained(store, trial).says(clips_of(TEXTS)).score.tolist()


def test_an_onnx_file_says_the_same_where_there_is_neither_torch_nor_transformers(store, tmp_path):
    export(load_trained(store, "words/bag"), "onnx", tmp_path / "left")
    assert alone("onnx", tmp_path / "left", tmp_path) == pytest.approx(
        said(store, "words/bag"), abs=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("to", ["hf", "onnx", "torch"])
def test_a_text_encoder_says_the_same_in_a_process_without_us(store, tmp_path, to):
    export(load_trained(store, "words/advised"), to, tmp_path / "left")
    found = alone(to, tmp_path / "left", tmp_path)
    assert found == pytest.approx(said(store, "words/advised"), abs=1e-5)


def test_a_folder_of_the_hub_has_what_transformers_looks_for(store, command, tmp_path):
    folder = tmp_path / "left"
    code, out, err = command("words/advised/1", "--to", "hf", "--folder", str(folder))
    assert (code, err) == (0, "")
    assert out.startswith(f"written: {folder} (README.md, config.json, model.safetensors, modeling_")
    assert "largest difference to the model 0 on 16 test clips" in out
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "modeling_text_score.py",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_the_card_holds_metrics_and_where_they_are_from(store, tmp_path):
    trained = load_trained(store, "words/advised")
    result = trained.result
    export(trained, "hf", tmp_path / "left")
    found = ModelCard.load(tmp_path / "left" / "README.md")
    values = {one.metric_type: one.metric_value for one in found.data.eval_results}
    assert values == {
        name.removeprefix("test/"): value
        for name, value in result.metrics.items()
        if name.startswith("test/")
    }
    for fact in (
        "VideoAdviser (our reading)",
        "needs no teacher",
        f"`{result.data_fingerprint}`",
        f"`{result.trial_id}`, seed 0",
        f"`{result.environment.code_revision}`",
        f"{result.efficiency.parameters} parameters",
        f"{result.efficiency.flops} floating-point operations",
        f"{result.efficiency.latency.median_ms:.3g} ms",
        f"| val | mae | {result.metrics['val/mae']!r} |",
        "protocol `mmsa`",
    ):
        assert fact in found.text or fact in found.content


def test_without_its_data_set_a_model_of_words_is_checked_on_made_ones(store, tmp_path, monkeypatch):
    def gone(trained):
        raise BadInput("no such file", file="mosi.pkl")

    monkeypatch.setattr(samples, "_test_clips", gone)
    left = export(load_trained(store, "words/bag"), "torch", tmp_path / "left")
    assert left.written.compared == "32 made transcripts (no data here)"
    with pytest.raises(BadInput, match=r"--to: 'lf_dnn' is checked on .*mosi.pkl"):
        export(load_trained(store, "words/lf_dnn"), "torch", tmp_path / "other")


@pytest.mark.parametrize(
    ("given", "expected", "others"),
    [
        (("words/bag", "--to", "hf"), "'bag_of_words' has no form in transformers", "torch"),
        (("words/gru", "--to", "torch"), "'gru' cannot be written as a program of torch: ", "nothing"),
    ],
)
def test_a_form_that_a_model_cannot_have_is_refused_with_those_it_can(
    command, monkeypatch, given, expected, others
):
    # Which others there are is found out by writing them, which takes seconds.
    monkeypatch.setattr("harness.engine.export.export.FORMATS", ("hf", "torch"))
    code, out, err = command(*given)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert expected in err
    assert f"it can leave as: {others}" in err


def test_what_says_something_else_is_not_kept(store, tmp_path, monkeypatch):
    trained = load_trained(store, "words/advised")
    assert isinstance(trained.model, ExportsToHub)
    honest = trained.model.to_hub

    def wrong(folder):
        with torch.no_grad():
            trained.model.head.bias.add_(1)
        honest(folder)
        with torch.no_grad():
            trained.model.head.bias.sub_(1)

    monkeypatch.setattr(trained.model, "to_hub", wrong)
    with pytest.raises(BadInput, match=r"says something else: a difference of 1, allowed .*; nothing"):
        export(trained, "hf", tmp_path / "left")
    assert not list(tmp_path.iterdir())


def test_a_number_that_is_none_is_the_largest_difference():
    assert formats._difference([torch.tensor([1.0, torch.nan])], [torch.ones(2)]) == float("inf")


def test_a_folder_with_something_in_it_is_left_alone_unless_told(command, tmp_path):
    folder = tmp_path / "left"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    given = ("words/advised", "--to", "hf", "--folder", str(folder))
    code, _, err = command(*given)
    assert (code, [path.name for path in folder.iterdir()]) == (2, ["notes.txt"])
    assert f"{folder}: --folder: is not empty" in err
    assert command(*given, "--force")[0] == command(*given, "--force")[0] == 0
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("words/advised", "--to", "tf"),
            "--to: there is no form 'tf'; did you mean 'hf'? known: hf, onnx, torch",
        ),
        (("words/advisor", "--to", "hf"), "TRIAL: no arm 'advisor' in study 'words'; did you mean"),
        (("words/bag", "--to", "hf", "--folder", "/proc/x"), "/proc/x: --folder: cannot be written"),
        (("words/bag", "--to", "hf", "--folder", __file__), "--folder: is a file, expected a folder"),
    ],
)
def test_what_cannot_be_done_is_one_line(command, words, expected):
    code, out, err = command(*words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert expected in err


def test_without_onnx_its_extra_is_named(command, monkeypatch):
    monkeypatch.setattr("harness.nn.extras.find_spec", lambda module: None)
    code, _, err = command("words/bag", "--to", "onnx")
    assert code == 2
    assert "--to: the package onnx is not installed" in err
    assert "adviserbench[onnx]" in err


def test_made_transcripts_are_of_the_tokenizers_own_words(store):
    trained = load_trained(store, "words/bag")
    texts = samples._made(trained.info.tokenizer_json)
    tokens = trained.seen(clips_of(texts[:-1])).tokens
    assert tokens.lengths.tolist() == list(range(1, 2 * len(texts) - 2, 2))
    assert Toy(ToyConfig()).load().test.transcripts[0].split()[0] in " ".join(texts)


def test_the_front_matter_is_what_the_hub_reads(store, tmp_path):
    export(load_trained(store, "words/bag"), "torch", tmp_path / "left")
    front = yaml.safe_load((tmp_path / "left" / "README.md").read_text().split("---\n")[1])
    assert front["library_name"] == "pytorch"
    assert front["pipeline_tag"] == "text-classification"
    assert "knowledge-distillation" not in front["tags"]
