"""``adviserbench bench``: a study's arms side by side, and what is refused in one line."""

import sys

import pandas as pd
import pytest
import yaml
from benches import QUICK, toy_study
from studies import ABLATION, Diary

from harness.cli import bench as commands
from harness.cli import main
from harness.cli.bench import Asked, bench_command
from harness.spec import SAMPLE_COLUMNS, BadInput, BenchRecord
from harness.store import MemoryStore
from harness.store.claims import MemoryClaims
from harness.study.place import Place
from harness.study.runner import run_study

TRAINED = [
    f"bench.{name}={value}" for name, value in QUICK.items() if name not in {"weights", "batches"}
]


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(ABLATION), encoding="utf-8")
    return path


def run(study, tmp_path, *overrides, **asked):
    out = tmp_path / "runs"
    return bench_command(str(study), overrides, Asked(**asked), out, None, ["toy"], tiny=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    kept = MemoryStore()
    place = Place(
        out=tmp_path_factory.mktemp("runs"), store=lambda: kept, claims=MemoryClaims, exists=False
    )
    run_study(toy_study("seeds=[0]"), place, Diary())
    return kept


def test_a_trained_arm_is_measured_in_fresh_processes_and_written(
    trained, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("harness.store.open_store", lambda out, uri, create=True: trained)
    assert run("toy", tmp_path, *TRAINED, "bench.batches=[1]", arms=("alone",)) == 0
    folder = tmp_path / "runs" / "reports" / "toy" / "bench"
    record = BenchRecord.model_validate_json((folder / "bench.json").read_text())
    (row,) = record.rows
    assert (row.name, row.weights, record.reference) == ("alone", "trained", "alone")
    assert row.quality["test/mae"] > 0
    assert row.cold.imports > 0.1
    assert (record.machines[0].intra_threads, len(record.machines)) == (1, 1)
    assert 0 < record.machines[0].timer_overhead_us < 20
    samples = pd.read_parquet(folder / "bench_samples.parquet")
    assert tuple(samples.columns[: len(SAMPLE_COLUMNS)]) == SAMPLE_COLUMNS
    assert set(samples.route) == {"end_to_end", "model_only"}
    said = capsys.readouterr()
    assert "alone" in said.out
    assert "alone alone (1 of 1)" in said.err


def test_options_lie_over_the_studys_settings():
    study = toy_study()
    asked = Asked(
        arms=("alone",),
        backends=("eager", "onnxruntime"),
        threads=1,
        asr="whisper-tiny",
        model_only=True,
    )
    found = commands._settings(study, asked)
    assert (found.arms, found.threads, found.asr) == (("alone",), 1, "whisper-tiny")
    assert found.routes == ("model_only",)
    assert [ref.name for ref in found.backends["alone"]] == ["onnxruntime"]
    assert commands._settings(study, Asked()) == study.bench


@pytest.mark.parametrize(
    ("overrides", "asked", "message"),
    [
        (["bench.threads=100000"], {"weights": "random", "arms": ("alone",)}, "bench.threads"),
        (["bench.clips=1000"], {"weights": "random", "arms": ("alone",)}, "bench.clips"),
        (["bench.clips=2"], {"weights": "random"}, "bench: batches: a call of 8 clips needs as many"),
        ([], {"weights": "rendom"}, "bench.weights"),
        (["runtime.accelerator=cuda"], {"weights": "random", "arms": ("alone",)}, "no such accelerator"),
        ([], {"weights": "random"}, "arm 'fusion' reads"),
        (
            [],
            {"weights": "random", "arms": ("alone",), "asr": "whisper-tiny"},
            "bench.asr: speech cannot be recognised: data set 'toy' has no recordings",
        ),
        (
            [],
            {"weights": "random", "arms": ("alone",), "asr": "wisper-tiny"},
            "bench.asr: expected a size of Whisper or a local folder, given 'wisper-tiny'",
        ),
    ],
)
def test_bad_input_is_one_line_before_anything_is_timed(study, tmp_path, overrides, asked, message):
    with pytest.raises(BadInput) as caught:
        run(study, tmp_path, *overrides, **asked)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_of_the_store_takes_changes_of_its_bench_only(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.store.open_store", lambda out, uri, create=True: trained)
    with pytest.raises(BadInput, match=r"expected changes such as bench\.clips=8, given seeds="):
        run("toy", tmp_path, "seeds=[1]")
    with pytest.raises(BadInput, match="no study 'tyo' in this store; did you mean 'toy'"):
        run("tyo", tmp_path)


def test_a_study_that_was_never_run_says_so_and_names_the_way_without(
    study, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(
        sys, "argv", ["adviserbench", "bench", str(study), "--plugin", "toy", "--out", str(tmp_path)]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err
