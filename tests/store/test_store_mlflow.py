from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from store_samples import epoch, failed, plan, predictions, result, spec

from harness.spec import BadInput, VariantRef
from harness.store import StoreFault, open_store
from harness.store.mlflow import client as mlflow_client
from harness.store.mlflow.client import EXPERIMENT
from harness.store.mlflow.runs import ANY, DONE, RUNNING, SearchedRuns
from harness.store.mlflow.store import DATABASE, MlflowStore
from harness.store.record import RECORD


def runs(store: MlflowStore) -> list:
    from mlflow import MlflowClient

    client: MlflowClient = store._client
    (experiment,) = [e for e in client.search_experiments() if e.name == EXPERIMENT]
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]))


def record_path(store: MlflowStore, results: Path) -> Path:
    (path,) = (results / "artifacts").glob(f"*/artifacts/{RECORD}")
    return path


@pytest.fixture
def finished(local: MlflowStore) -> MlflowStore:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    local.log_epochs("t0", [epoch(0, **{"train/task_l1": 1.0, "val/mae@best": 0.9})])
    local.log_epochs("t0", [epoch(1, **{"val/mae": float("nan")})])
    local.finish(result(), predictions(), {})
    return local


def test_a_study_is_a_run_and_its_trials_are_the_runs_below(finished: MlflowStore) -> None:
    finished.open_study(plan(title="again"))
    parent, child = runs(finished)
    assert parent.info.run_name == "first"
    assert parent.data.tags["adviserbench.study"] == "first"
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (parent.info.status, child.info.status) == ("FINISHED", "FINISHED")


def test_a_trials_run_shows_spec_numbers_and_origin(finished: MlflowStore) -> None:
    child = runs(finished)[1]
    assert child.data.params["model.name"] == "text_encoder"
    assert child.data.params["optimisation.max_epochs"] == "30"
    assert child.data.metrics["final/test/mae"] == 0.7
    assert child.data.metrics["final/parameters"] == 1234
    assert child.data.metrics["val/mae_best"] == 0.9
    tags = {key.removeprefix("adviserbench."): value for key, value in child.data.tags.items()}
    assert (tags["trial_id"], tags["group_id"], tags["role"]) == ("t0", "g", "student")
    assert (tags["code_revision"], tags["data_fingerprint"]) == ("abc1234", "f")
    assert (tags["version.torch"], tags["cpu"]) == ("2.13.0", "some cpu")


def test_many_and_long_and_strangely_named_parameters_are_shown(local: MlflowStore) -> None:
    local.open_study(plan())
    model = VariantRef.model_validate(
        {"name": "x", "a→b": 1, "text": "é" * 9000} | {f"p{i}": i for i in range(250)}
    )
    local.begin("first", "t0", spec(model=model))
    local.log_epochs("t0", [epoch(0, **{"val/mae": 1.0})])
    params = runs(local)[1].data.params
    assert params["model.a_b"] == "1"
    assert len(params["model.text"]) == 6000
    assert params["model.p249"] == "249"


def test_a_failed_trial_is_a_failed_run_that_says_why(local: MlflowStore) -> None:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    local.finish(failed(), None, {})
    child = runs(local)[1]
    assert child.info.status == "FAILED"
    assert child.data.tags["adviserbench.failure"] == "loss is NaN"


def test_a_run_left_by_a_killed_process_is_closed_by_the_next_one(
    local: MlflowStore, results: Path
) -> None:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    again = MlflowStore.local(results)
    again.begin("first", "t0", spec())
    again.finish(result(), None, {})
    assert [run.info.status for run in runs(local)[1:]] == ["KILLED", "FINISHED"]


@pytest.mark.parametrize("damage", ["cut", "gone", "of another trial"])
def test_a_trial_without_a_readable_record_is_not_complete(
    finished: MlflowStore, results: Path, damage: str
) -> None:
    path = record_path(finished, results)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "gone":
        path.unlink()
    else:
        path.write_text(path.read_text().replace('"trial_id": "t0"', '"trial_id": "t1"'))
    assert finished.complete(["t0"]) == frozenset()
    assert finished.get("t0") is None
    assert finished.predictions("t0") is None


def test_a_results_folder_can_be_moved(finished: MlflowStore, results: Path, tmp_path: Path) -> None:
    moved = tmp_path / "else where"
    shutil.copytree(results, moved)
    shutil.rmtree(results)
    store = MlflowStore.local(moved)
    assert store.complete(["t0"]) == {"t0"}
    store.begin("first", "t1", spec(seed=1))
    store.finish(result("t1"), predictions(), {})
    assert store.predictions("t1") is not None
    assert not results.exists()


def test_a_run_deleted_in_mlflow_is_no_longer_there(finished: MlflowStore) -> None:
    finished._client.delete_run(runs(finished)[1].info.run_id)
    assert finished.complete(["t0"]) == frozenset()
    assert finished.get("t0") is None


def test_more_runs_than_a_page_holds_are_all_found(
    finished: MlflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial in ("t1", "t2", "t3", "t4"):
        finished.begin("first", trial, spec())
        finished.finish(result(trial), None, {})
    whole = finished._client.search_runs
    asked: list[int] = []

    def one_by_two(experiments: list[str], condition: str, max_results: int, **more: object) -> object:
        asked.append(max_results)
        return whole(experiments, condition, max_results=2, **more)

    monkeypatch.setattr(finished._client, "search_runs", one_by_two)
    trials = {"t0", "t1", "t2", "t3", "t4"}
    searched = SearchedRuns(finished._client, finished._experiment, finished._guard)
    assert {run.trial_id for run in searched.trials(DONE, trials)} == trials
    assert len(asked) == 3


def test_runs_are_the_same_looked_up_in_the_database_and_through_the_client(
    finished: MlflowStore,
) -> None:
    for record in (failed(), result("t1", state="pruned", metrics={}), failed("t2")):
        finished.begin("first", record.trial_id, spec())
        finished.finish(record, None, {})
    finished.begin("first", "t3", spec())
    finished.forget(["t2"])
    searched = SearchedRuns(finished._client, finished._experiment, finished._guard)
    for statuses in (DONE, RUNNING, ANY):
        for trials in (["t0"], ["t0", "t1", "t2", "t3"], []):
            assert finished._runs.trials(statuses, trials) == searched.trials(statuses, trials)
        assert finished._runs.studies(statuses) == searched.studies(statuses)
    assert len(searched.trials(DONE, ["t0"])) == 2


def test_a_pruned_trial_is_a_finished_run_with_a_tag(local: MlflowStore) -> None:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    local.finish(result(state="pruned", metrics={}, efficiency=None), None, {})
    child = runs(local)[1]
    assert child.info.status == "FINISHED"
    assert child.data.tags["adviserbench.state"] == "pruned"


def test_an_abandoned_trial_is_a_killed_run(local: MlflowStore) -> None:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    local.abandon("t0")
    local.abandon("never begun")
    assert runs(local)[1].info.status == "KILLED"
    assert local.states(["t0"]) == {}


def test_a_trial_whose_run_was_deleted_meanwhile_begins_another(local: MlflowStore) -> None:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    local._client.delete_run(runs(local)[1].info.run_id)
    with pytest.raises(StoreFault, match="must be in the 'active' state"):
        local.finish(result(), None, {})
    local.begin("first", "t0", spec())
    local.finish(result(), None, {})
    assert local.complete(["t0"]) == {"t0"}


def test_the_epochs_of_a_record_are_shown_once_each(local: MlflowStore) -> None:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    epochs = [epoch(number, **{"val/mae": 1.0 - number / 10}) for number in range(4)]
    local.log_epochs("t0", epochs[:2])
    local.log_epochs("t0", epochs[1:3])
    local.finish(result(epochs=tuple(epochs)), None, {})
    history = local._client.get_metric_history(runs(local)[1].info.run_id, "val/mae")
    assert [(one.step, one.value) for one in history] == [
        (number, 1.0 - number / 10) for number in range(4)
    ]


def test_a_database_is_made_for_many_writers(local: MlflowStore, results: Path) -> None:
    with closing(sqlite3.connect(results / DATABASE)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_folder_without_results_is_not_made_into_a_store_by_reading(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"--out: no results here"):
        open_store(tmp_path / "typo", create=False)
    assert not (tmp_path / "typo").exists()


def test_a_file_that_is_no_database_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(
        BadInput, match=r"adviserbench\.db: --out: not a usable SQLite database"
    ) as caught:
        open_store(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("folder", ["file", "file/results"])
def test_a_folder_that_cannot_be_written_is_bad_input(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=rf"{folder}: --out: cannot be written"):
        open_store(tmp_path / folder)


def test_a_folder_without_permission_is_bad_input_before_anything_runs(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is forbidden to root, who may be running this.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != results)
    with pytest.raises(BadInput, match="--out: cannot be written: no permission"):
        open_store(results)
    assert open_store(results, create=False).studies() == ()


def test_of_two_processes_that_make_a_database_the_second_keeps_the_firsts(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / DATABASE
    alone = mlflow_client._client

    def overtaken(uri: str) -> object:
        shutil.copyfile(empty_database, uri.removeprefix("sqlite:///"))
        shutil.copyfile(empty_database, database)
        return alone(uri)

    monkeypatch.setattr(mlflow_client, "_client", overtaken)
    mlflow_client.create_database(database)
    assert database.stat().st_nlink == 1
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE]


@pytest.mark.parametrize(
    "uri",
    [
        "http://me:secret@127.0.0.1:9",
        "postgresql://me:secret@127.0.0.1:9/db",
        "nonsense://me:secret@x",
        "postgresql://[broken",
    ],
)
def test_a_tracking_uri_that_does_not_answer_is_bad_input(uri: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^--store: ") as caught:
        open_store(tmp_path, uri)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_fresh_folder_becomes_a_store_in_silence(tmp_path: Path) -> None:
    code = f"""
import os, pathlib, sys
from harness.store import StoreFault, open_store
from harness.store.mlflow import client as mlflow_client
assert "mlflow" not in sys.modules
assert open_store(pathlib.Path({str(tmp_path / "new")!r})).studies() == ()
from mlflow.telemetry import get_telemetry_client
assert get_telemetry_client() is None
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [DATABASE]


def test_drafts_of_killed_processes_are_taken_away_once_they_are_old(tmp_path: Path) -> None:
    old, young = tmp_path / ".new-old", tmp_path / ".new-young"
    for left in (old, young):
        left.mkdir()
        (left / DATABASE).write_bytes(b"half a database")
    os.utime(old, (0, 0))
    mlflow_client.create_database(tmp_path / DATABASE)
    assert not old.exists()
    assert young.exists()
