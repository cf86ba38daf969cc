"""The command line as its users meet it: what it prints, writes and exits with."""

import json
import os
import subprocess
import sys
from pathlib import Path

import features
import numpy as np
import pytest
import torch
from studies import ablation, write

from harness.cli import main
from harness.registry import DATASETS, VariantRef, discover

discover()


class Command:
    """Runs ``adviserbench`` in this process, in a folder of its own."""

    def __init__(self, capsys, monkeypatch, folder):
        self._capsys, self._monkeypatch, self.folder = capsys, monkeypatch, folder
        monkeypatch.chdir(folder)

    def __call__(self, *words):
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["adviserbench", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = self._capsys.readouterr()
        return stopped.value.code or 0, said.out, said.err

    def refuses(self, *words):
        """The one line it says, having written nothing."""
        before = sorted(self.folder.rglob("*"))
        code, out, err = self(*words)
        lines = err.strip().splitlines()
        assert (code, out, len(lines)) == (2, "", 1)
        assert sorted(self.folder.rglob("*")) == before
        return lines[0]


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    return Command(capsys, monkeypatch, tmp_path)


@pytest.fixture
def study(tmp_path):
    return write(ablation("seeds=[0]"), tmp_path / "toy.yaml")


@pytest.fixture
def mosi():
    return features.content()


@pytest.fixture
def on_features(tmp_path, mosi):
    def file(change=lambda content: None):
        change(mosi)
        features.write_features(tmp_path / "mosi.pkl", mosi)
        content = ablation("seeds=[0]", "data={name: mmsa, path: mosi.pkl}")
        for arm in ("teacher", "both_steps", "shuffled"):
            del content["arms"][arm]
        return write(content, tmp_path / "features.yaml")

    return file


def test_a_study_runs_to_its_table_and_the_second_time_trains_nothing(command, study):
    code, first, log = command("run", study, "--plugin", "toy")
    assert code == 0
    assert "both_steps" in first
    assert "5 trials, 0 already complete" in log
    code, second, log = command("run", study, "--plugin", "toy")
    assert (code, second) == (0, first)
    assert "5 trials, 5 already complete" in log
    assert command("report", "toy")[1] == first
    assert command("report", study)[1] == first
    assert {path.suffix for path in Path("runs/reports/toy").iterdir()} == {".md", ".csv", ".tex"}


def test_a_failed_trial_is_exit_1_and_a_line(command, study):
    code, out, err = command(
        "run", study, "arms.broken.student.optimisation.learning_rate=1e30", "--plugin", "toy", "--quiet"
    )
    assert code == 1
    assert "broken" in out
    assert "failed: " in err
    assert "became" in err


def test_features_run_end_to_end(command, on_features):
    code, out, _ = command("run", on_features(), "--tiny", "--quiet")
    assert code == 0
    assert "fusion" in out


def test_an_accelerator_that_is_not_there_is_bad_input(command, study, monkeypatch):
    monkeypatch.setattr(torch.mps, "is_available", lambda: False)
    line = command.refuses("run", study.name, "--plugin", "toy", "runtime.accelerator=mps")
    assert "toy.yaml: runtime.accelerator: no such accelerator here: mps; there is cpu" in line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bas.role=student"], "toy.yaml: bas: unknown key; did you mean 'base'"),
        (
            ["data.name=tooy"],
            "toy.yaml: arms.teacher.data.name: no dataset is called 'tooy'; did you mean 'toy'",
        ),
        (["base.student.model.name=text_encode"], "did you mean 'text_encoder'"),
        (["base.student.optimisation.monitor=test/mae"], "base.student.optimisation.monitor: selection"),
        (
            ["base.student.model.architecture=robrta"],
            "arms.alone.student.model.architecture: transformers has no model type 'robrta'",
        ),
        (
            ["base.student.model.pretrained=no/such"],
            "student.model.pretrained: no encoder and tokenizer",
        ),
        (["base.teacher.model.tower=ViT-B-23"], "teacher.model.tower: open_clip has no architecture"),
        (["published=[mosee]"], "toy.yaml: published: no published results are kept for 'mosee'"),
        (["robustness=[{protocol: blur}]"], "robustness: blur happens to pictures"),
        (["runtime.accelerator=gpu"], "runtime.accelerator: Input should be 'cpu', 'cuda', 'mps' or"),
        (["--plugin", "no_such_module"], "--plugin: no module is called 'no_such_module'"),
        (["--out", "toy.yaml/runs"], "--out: the output folder cannot be written"),
        (["--out", "/proc/runs"], "--out: the output folder cannot be written"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(words, expected, command, study):
    assert expected in command.refuses("run", study.name, "--plugin", "toy", *words)


def test_a_missing_study_file_is_bad_input(command):
    assert command.refuses("run", "no.yaml") == "error: no.yaml: no such study file"


def test_a_key_written_twice_is_bad_input(command, tmp_path):
    (tmp_path / "twice.yaml").write_text("kind: grid\nname: a\nname: b\n")
    assert "twice.yaml: found duplicate key name" in command.refuses("run", "twice.yaml")


class Evil:
    def __reduce__(self):
        return os.mkdir, ("was_run",)


def put(split, key, value):
    def change(content):
        content[split][key] = value

    return change


def spoil(split, key, value):
    def change(content):
        content[split][key].reshape(-1)[:3] = value

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put("train", "vision", Evil()), "only NumPy arrays and plain containers are admitted"),
        (put("train", "vision", Path("x")), "only NumPy arrays and plain containers are admitted"),
        (put("valid", "audio", np.zeros((8, 4))), "mosi.pkl: "),
        (put("test", "text", np.zeros((5, 3, 6), np.float32)), "mosi.pkl: "),
        (put("test", "text", np.zeros((8, 4, 9), np.float32)), "mosi.pkl: "),
        (spoil("train", "audio", -np.inf), "3 "),
        (spoil("valid", "vision", np.nan), "3 "),
        (spoil("test", "regression_labels", np.nan), "3 "),
        (spoil("train", "regression_labels", 4.0), "regression_labels"),
        (lambda content: content["test"].update(features.split(8, "train")), "mosi.pkl: "),
        (lambda content: content["valid"].update(features.split(0, "valid")), "mosi.pkl: "),
        (lambda content: content.pop("valid"), "valid"),
        (lambda content: content["train"].pop("regression_labels"), "regression_labels"),
    ],
)
def test_a_feature_file_that_cannot_be_used_is_one_line(change, expected, command, on_features):
    line = command.refuses("run", on_features(change).name)
    assert line.startswith("error: mosi.pkl: ")
    assert expected in line
    assert not Path("was_run").exists()


def test_a_truncated_pickle_is_one_line(command, on_features):
    name = on_features().name
    whole = Path("mosi.pkl").read_bytes()
    Path("mosi.pkl").write_bytes(whole[: len(whole) // 2])
    assert "mosi.pkl" in command.refuses("run", name)


def test_a_missing_data_file_is_one_line(command, on_features):
    name = on_features().name
    Path("mosi.pkl").unlink()
    assert command.refuses("run", name).startswith("error: mosi.pkl: ")


def test_a_corrupt_clip_is_one_line(command, tmp_path):
    reader = DATASETS.get("rendered_sentiment")
    made = DATASETS.build(
        VariantRef.model_validate(
            {"name": "rendered_sentiment", **reader.tiny, "path": tmp_path / "clips"}
        )
    )
    made.prepare()
    clip = sorted((tmp_path / "clips").rglob("*.mp4"))[3]
    clip.write_bytes(clip.read_bytes()[:200])
    content = ablation("seeds=[0]", "data={name: raw_clips, path: clips, frames: 4, size: 32, grid: 4}")
    line = command.refuses("run", write(content, tmp_path / "raw.yaml").name)
    assert clip.name in line


def test_a_report_of_an_unknown_study_names_the_near_ones(command, study):
    command("run", study, "--plugin", "toy", "--quiet", "--tiny")
    assert "no study 'toi-tiny' in this store; did you mean 'toy-tiny'" in command.refuses(
        "report", "toi-tiny"
    )


def test_a_report_without_a_store_is_bad_input(command):
    assert "--out" in command.refuses("report", "toy")


def test_variants_are_listed_with_their_papers(command):
    code, out, _ = command("ls", "loss")
    assert code == 0
    assert "step2" in out
    assert "2309.15494" in out
    assert "tfn" not in out


def test_an_unknown_kind_names_the_near_ones(command):
    assert "did you mean 'student'" in command.refuses("ls", "studnt")


def test_the_schema_is_json(command):
    code, out, _ = command("schema")
    assert code == 0
    assert json.loads(out)["discriminator"]["propertyName"] == "kind"


def test_the_doctor_says_versions_threads_and_devices(command):
    code, out, _ = command("doctor")
    assert code == 0
    assert all(word in out for word in ("torch", "threads", "cpu", "fine"))


def test_data_is_made_where_it_is_asked_for(command):
    tiny = DATASETS.get("rendered_sentiment").tiny
    code, out, _ = command(
        "data",
        "make",
        "rendered_sentiment",
        "path=clips",
        *(f"{key}={'null' if value is None else value}" for key, value in tiny.items()),
    )
    assert code == 0
    assert Path("clips/label.csv").is_file()
    assert "train" in out


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['adviserbench', '--help']\n"
        "from harness.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'mlflow', 'pandas', 'transformers', 'optuna') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
