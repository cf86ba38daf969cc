"""``adviserbench bench``: a study's arms side by side, and what is refused in one line."""

import sys

import pandas as pd
import pytest
import yaml
from benches import QUICK, toy_study
from studies import ABLATION, Diary

from harness.cli import bench_plan, main
from harness.cli.bench import bench_command
from harness.cli.bench_plan import Asked, measured
from harness.registry import discover
from harness.spec import SAMPLE_COLUMNS, BadInput, BenchRecord
from harness.store import MemoryStore
from harness.store.claims import MemoryClaims
from harness.study.load import parse_study
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


@pytest.fixture
def stored(trained, monkeypatch):
    """The trained study, in whatever store is opened."""
    monkeypatch.setattr("harness.store.open_store", lambda out, uri, create=True: trained)
    return trained.plan("toy")


def test_a_trained_arm_is_measured_in_fresh_processes_and_written(stored, tmp_path, capsys):
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
    found = bench_plan._settings(study, asked)
    assert (found.arms, found.threads, found.asr) == (("alone",), 1, "whisper-tiny")
    assert found.routes == ("model_only",)
    assert [ref.name for ref in found.backends["alone"]] == ["onnxruntime"]
    assert bench_plan._settings(study, Asked()) == study.bench


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


def plan_of(study, tmp_path, *overrides):
    discover(["toy"])
    return measured(str(study), overrides, Asked(), tmp_path, None, tiny=False)[0]


def test_what_a_file_says_with_its_changes_is_what_is_measured(study, stored, tmp_path):
    same = plan_of(study, tmp_path, "bench.clips=9", "seeds=[0]")
    assert (same.study.bench.clips, same.trials.keys()) == (9, stored.trials.keys())
    wider = plan_of(study, tmp_path, "base.student.model.width=24", "seeds=[0]")
    assert not {one.trial_id for one in wider.members if one.arm == "alone"} & stored.trials.keys()


def test_a_file_of_which_nothing_was_trained_is_refused(study, stored, tmp_path):
    with pytest.raises(BadInput, match=r"'toy' of this store was trained otherwise.*no trial in common"):
        plan_of(study, tmp_path, "seeds=[5]")
    changed = "base.student.model.width=24"
    with pytest.raises(BadInput, match="seed 0 of 'alone' has no stored checkpoint"):
        run(study, tmp_path, *TRAINED, changed, "bench.batches=[1]", arms=("alone",), model_only=True)


def test_a_search_is_measured_as_it_was_searched(stored):
    discover(["toy"])
    content = ABLATION | {"kind": "search", "search": {"seed": 9, "trials": 2}}
    searched, given = (parse_study(content | {"bench": {"clips": clips}}) for clips in (16, 9))
    plan = stored.model_copy(update={"study": searched})
    assert bench_plan._as_trained(given, plan).study.bench.clips == 9
    other = parse_study(content | {"seeds": [0], "search": {"seed": 9, "trials": 3}})
    with pytest.raises(BadInput, match="differs from it in seeds, search; run it"):
        bench_plan._as_trained(other, plan)


@pytest.mark.parametrize("is_file", [True, False])
def test_an_accelerator_that_is_not_there_is_refused(study, stored, tmp_path, is_file):
    with pytest.raises(BadInput, match="no such accelerator"):
        run(study if is_file else "toy", tmp_path, "runtime.accelerator=cuda")


def test_a_study_of_the_store_takes_changes_of_its_measuring_only(stored, tmp_path):
    with pytest.raises(BadInput, match=r"expected changes such as bench\.clips=8 or .*, given seeds="):
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
