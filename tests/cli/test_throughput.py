"""``adviserbench throughput``: a trained arm, searched with; and what it refuses in one line."""

import io
import json
import sys

import pandas as pd
import pytest
import toy_events
from standing import ablation_plan
from studies import Diary

from harness.cli import main
from harness.cli import throughput as commands
from harness.cli.throughput import throughput_command, workload
from harness.engine.throughput import search_cost
from harness.engine.trial import CHECKPOINT_FILE
from harness.registry import discover
from harness.spec import BadInput, IndexCost, Repeats, SearchCost, SearchWorkload
from harness.store import MemoryStore
from harness.store.claims import MemoryClaims
from harness.study.load import parse_study
from harness.study.place import Place
from harness.study.runner import run_study
from harness.study.throughput import trained_arm

assert toy_events
discover()

BUDGET = {"max_epochs": 1, "batch_size": 8}
STUDY = {
    "kind": "ablation",
    "name": "av",
    "data": {"name": "toy_events"},
    "seeds": [0, 1],
    "reference": "cca",
    "runtime": {"threads": 1, "latency_seconds": 0.01},
    "base": {
        "role": "baseline",
        "teacher": {
            "model": {"name": "match_score", "width": 8},
            "losses": {"task_ce": {}},
            "optimisation": BUDGET,
        },
        "student": {
            "model": {"name": "two_tower", "width": 6},
            "losses": {"cross_triplet": {}},
            "optimisation": BUDGET,
        },
        "baseline": {"model": {"name": "cca", "width": 3}},
    },
    "arms": {
        "teacher": {"role": "teacher"},
        "cca": {},
        "towers": {"role": "student"},
    },
}
QUICK = SearchWorkload(galleries=(24, 300), queries=70, repeats=2, seconds=0.01)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store in memory in which the study has ended."""
    folder, kept = tmp_path_factory.mktemp("studies"), MemoryStore()
    place = Place(out=folder, store=lambda: kept, claims=MemoryClaims, exists=False)
    outcome = run_study(parse_study(STUDY), place, Diary())
    assert not outcome.failed
    return kept


@pytest.fixture
def patched(store, monkeypatch):
    monkeypatch.setattr(commands, "open_store", lambda out, uri, create=True: store)


@pytest.fixture
def throughput(patched, tmp_path, capsys):
    """Runs the command on that store; gives what it prints."""

    def command(study="av", arm=None, seed=None, load=QUICK):
        capsys.readouterr()
        throughput_command(study, arm, seed, load, tmp_path, None, [])
        return capsys.readouterr().out

    return command


def test_the_table_is_printed_and_written_with_its_samples(throughput, tmp_path):
    printed = throughput(arm="towers", seed=1)
    folder = tmp_path / "reports" / "av"
    assert (folder / "throughput.md").read_text() == printed.removesuffix("\n")
    assert printed.startswith("## What searching costs: towers of av, seed 1\n")
    assert "There are 24 test clips." in printed
    table = pd.read_csv(io.StringIO((folder / "throughput.csv").read_text()))
    assert len(table) == 2 * 4 * 2
    assert set(table["gallery"]) == {24, 300}
    assert (table["made"] == table["gallery"] - 24).all()
    assert table["recall"].between(0, 1).all()
    assert (table["sum_ms"] == table["encode_ms"] + table["search_ms"]).all()
    cost = SearchCost.model_validate_json((folder / "throughput.json").read_text())
    assert {len(part.samples_ms) for index in cost.indices for part in index.search} == {2}
    assert cost.threads == {"torch": 1, "faiss": 1}


def test_the_reference_is_searched_with_unless_an_arm_is_named(throughput):
    assert "What searching costs: cca of av, seed 0" in throughput()


def test_an_arm_has_the_parameters_that_the_table_of_its_study_shows(store):
    trained = trained_arm(store, store.plan("av"), "towers", 0)
    assert search_cost(trained, QUICK).parameters == trained.result.efficiency.parameters


def test_exact_indices_find_everything(store):
    cost = search_cost(trained_arm(store, store.plan("av"), "cca", 0), QUICK)
    assert [index.recall for index in cost.indices if index.index in {"exact", "faiss_flat"}] == [
        1.0
    ] * 4
    assert (cost.width, cost.model, cost.test_clips) == (3, "cca", 24)


def test_a_twin_with_other_weights_is_not_taken_for_the_arm(store):
    plan = store.plan("av")
    one, other = (trained_arm(store, plan, "towers", seed) for seed in (0, 1))
    swapped = type(one)(**{**vars(one), "checkpoint": other.checkpoint})
    with pytest.raises(BadInput, match="the stored checkpoint does not give the stored vectors"):
        search_cost(swapped, QUICK)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"study": "avv"}, "STUDY: no study 'avv' in this store; did you mean 'av'?"),
        ({"arm": "tower"}, "--arm: no arm 'tower' in study 'av'; did you mean 'towers'"),
        ({"arm": "teacher"}, "'teacher' is a teacher, which scores pairs and has no vectors"),
        ({"seed": 7}, "--seed: 'cca' has no seed 7; known: 0, 1"),
        (
            {"load": QUICK.model_copy(update={"galleries": (300, 9)})},
            "--gallery: a gallery of 9 has no 10 nearest; expected at least 10",
        ),
    ],
)
def test_what_cannot_be_searched_is_one_line(throughput, given, expected):
    with pytest.raises(BadInput) as fault:
        throughput(**given)
    assert expected in str(fault.value)
    assert "\n" not in str(fault.value)


def test_an_arm_without_its_files_is_one_line(throughput, store, monkeypatch):
    kept = store.artifact

    def without(trial, name):
        return None if name == CHECKPOINT_FILE else kept(trial, name)

    monkeypatch.setattr(store, "artifact", without)
    with pytest.raises(BadInput, match="seed 0 of 'cca' has no stored checkpoint and vectors"):
        throughput()


def test_a_study_of_sentiment_has_nothing_to_search_with(throughput, store):
    store.open_study(ablation_plan())
    with pytest.raises(BadInput, match="no arm of 'small' has vectors to search with"):
        throughput(study="small")


def test_without_faiss_its_indices_are_refused_and_the_exact_one_is_not(throughput, monkeypatch):
    monkeypatch.setattr("harness.nn.extras.find_spec", lambda module: None)
    with pytest.raises(BadInput, match=r"--index: .* pip install 'adviserbench\[faiss\]'"):
        throughput()
    assert "faiss" not in throughput(load=QUICK.model_copy(update={"indices": ("exact",)}))


def test_options_that_are_not_given_are_those_of_the_workload():
    assert workload([], [], queries=1000, jitter=0.1, repeats=5) == SearchWorkload()
    given = workload([50, 20, 50], ["faiss_hnsw", "exact"], queries=10, jitter=0.2, repeats=2)
    assert (given.galleries, given.indices) == ((50, 20), ("exact", "faiss_hnsw"))


def test_an_unknown_index_is_one_line():
    with pytest.raises(BadInput, match="--index: no index is called 'hnsw'; did you mean 'faiss_hnsw'"):
        workload([], ["hnsw"], queries=10, jitter=0.1, repeats=1)


@pytest.fixture
def command_line(tmp_path, monkeypatch, capsys):
    def command(*words):
        given = ["adviserbench", "throughput", "av", "--out", str(tmp_path), *words]
        monkeypatch.setattr(sys, "argv", given)
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code or 0, said.out, said.err

    return command


def test_the_options_of_the_command_line_are_what_is_measured(command_line, patched, tmp_path):
    options = "--arm towers --seed 1 --gallery 30 --gallery 12 --index exact --queries 20 --jitter 0.3"
    code, out, err = command_line(*options.split())
    assert (code, "towers of av, seed 1" in out) == (0, True)
    assert "throughput.json" in err
    kept = json.loads((tmp_path / "reports" / "av" / "throughput.json").read_text())["workload"]
    assert (kept["galleries"], kept["indices"]) == ([30, 12], ["exact"])
    assert (kept["queries"], kept["jitter"]) == (20, 0.3)


def test_a_folder_without_results_is_one_line_and_exit_2(command_line):
    code, out, err = command_line()
    assert (code, out) == (2, "")
    assert "no results here" in err
    assert len(err.splitlines()) == 1


def test_the_sum_of_the_parts_is_the_medians_added():
    part = Repeats(batch_size=1, samples_ms=(3.0, 1.0, 2.0))
    index = IndexCost(
        index="exact",
        settings="",
        gallery=10,
        made=0,
        build_seconds=0.0,
        index_bytes=40,
        recall=1.0,
        search=(part,),
    )
    assert part.median_ms == 2.0
    cost = SearchCost.model_construct(
        workload=SearchWorkload(batches=(1,)),
        encoding=(Repeats(batch_size=1, samples_ms=(0.5,)),),
        indices=(index,),
    )
    assert cost.total_ms(index, 1) == 2.5


def test_samples_survive_json(throughput, tmp_path):
    throughput()
    text = (tmp_path / "reports" / "av" / "throughput.json").read_text()
    assert SearchCost.model_validate(json.loads(text)).model_dump_json(indent=1) + "\n" == text
