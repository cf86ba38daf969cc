from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from store_samples import epoch, failed, plan, predictions, result, spec

from harness.spec import BadInput, Plan, TrialResult
from harness.store import MemoryStore, ResultStore, StoreFault
from harness.store.archive import ImportedStudy, export_study, import_study
from harness.store.mlflow.store import MlflowStore
from reports import write_report

TRIALS = {"t0": spec(), "t1": spec(seed=1), "t2": spec(seed=2), "t3": spec(seed=3)}


def pruned(trial_id: str) -> TrialResult:
    return result(trial_id, state="pruned", metrics={}, efficiency=None)


def keep(store: ResultStore, record: TrialResult, **files: Path) -> None:
    table = predictions() if record.state == "complete" else None
    store.begin("first", record.trial_id, record.spec)
    store.finish(record, table, {name.replace("_", "."): path for name, path in files.items()})


@pytest.fixture
def source(tmp_path: Path) -> MemoryStore:
    """A study with a complete trial and its files, a failed, a pruned and a missing one."""
    store = MemoryStore()
    store.open_study(plan(trials=TRIALS))
    weights = tmp_path / "weights"
    weights.write_bytes(bytes(range(256)) * 10)
    tokens = tmp_path / "tokens"
    tokens.write_text("{}")
    keep(store, result("t0", mae=0.1 + 0.2), checkpoint_bin=weights, trial_json=tokens)
    keep(store, failed("t1"))
    keep(store, pruned("t2"))
    return store


@pytest.fixture
def file(tmp_path: Path, source: MemoryStore) -> Path:
    path = tmp_path / "study.zip"
    assert export_study(source, "first", path) == 3
    return path


def test_a_study_arrives_with_everything_that_it_left(
    source: MemoryStore, file: Path, local: MlflowStore
) -> None:
    assert import_study(local, file) == ImportedStudy("first", new=3, present=0)
    assert local.plan("first") == source.plan("first")
    assert local.states(TRIALS) == {"t0": "complete", "t1": "failed", "t2": "pruned"}
    for trial in ("t0", "t1", "t2"):
        there, here = source.get(trial), local.get(trial)
        assert there is not None
        assert here is not None
        assert there.model_dump_json() == here.model_dump_json()
    table = local.predictions("t0")
    assert table is not None
    pd.testing.assert_frame_equal(table, predictions(), check_exact=True)
    assert local.files("t0") == ("checkpoint.bin",)


def test_files_come_back_to_the_byte(source: MemoryStore, file: Path) -> None:
    there = MemoryStore()
    import_study(there, file)
    assert there.files("t0") == ("checkpoint.bin", "trial.json")
    for name in there.files("t0"):
        ours, theirs = source.artifact("t0", name), there.artifact("t0", name)
        assert ours is not None
        assert theirs is not None
        assert ours.read_bytes() == theirs.read_bytes()


def test_the_same_results_give_the_same_bytes_on_any_store(
    source: MemoryStore, file: Path, tmp_path: Path
) -> None:
    again, carried = tmp_path / "again.zip", tmp_path / "carried.zip"
    export_study(source, "first", again)
    there = MemoryStore()
    import_study(there, file)
    export_study(there, "first", carried)
    assert file.read_bytes() == again.read_bytes() == carried.read_bytes()
    names = zipfile.ZipFile(file).namelist()
    assert names[:-1] == sorted(names[:-1])
    assert names[-1] == "manifest.json"


@pytest.mark.parametrize("files", [True, False])
def test_reports_of_both_machines_are_equal_to_the_byte(
    source: MemoryStore, tmp_path: Path, local: MlflowStore, *, files: bool
) -> None:
    export_study(source, "first", tmp_path / "study.zip", files=files)
    import_study(local, tmp_path / "study.zip")
    ours = write_report(source, "first", tmp_path / "ours").paths
    theirs = write_report(local, "first", tmp_path / "theirs").paths
    assert [path.name for path in ours] == [path.name for path in theirs]
    assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in theirs]


def test_without_files_only_records_and_predictions_travel(source: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "small.zip"
    export_study(source, "first", path, files=False)
    there = MemoryStore()
    import_study(there, path)
    assert there.files("t0") == ()
    assert there.predictions("t0") is not None


def test_what_is_there_is_left_alone_and_importing_again_adds_nothing(file: Path) -> None:
    there = MemoryStore()
    there.open_study(plan(trials=TRIALS))
    keep(there, result("t0", mae=0.9))
    assert import_study(there, file) == ImportedStudy("first", new=2, present=1)
    found = there.get("t0")
    assert found is not None
    assert found.metrics["test/mae"] == 0.9
    assert import_study(there, file) == ImportedStudy("first", new=0, present=3)


def test_a_failed_trial_gives_way_to_a_pruned_or_complete_one_and_never_the_other_way(
    file: Path,
) -> None:
    there = MemoryStore()
    there.open_study(plan(trials=TRIALS))
    for record in (failed("t0"), pruned("t1"), failed("t2")):
        keep(there, record)
    assert import_study(there, file) == ImportedStudy("first", new=2, present=1)
    assert there.states(TRIALS) == {"t0": "complete", "t1": "pruned", "t2": "pruned"}


def test_an_import_that_was_interrupted_goes_on_where_it_was(
    file: Path, local: MlflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, left = MlflowStore.finish, [1]

    def full(store: MlflowStore, *given: object) -> None:
        if not left:
            raise StoreFault("the disk is full")
        left.pop()
        whole(store, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(MlflowStore, "finish", full)
    with pytest.raises(StoreFault, match="the disk is full"):
        import_study(local, file)
    monkeypatch.setattr(MlflowStore, "finish", whole)
    assert import_study(local, file) == ImportedStudy("first", new=2, present=1)


def test_a_study_can_be_given_another_name(file: Path) -> None:
    there = MemoryStore()
    other = plan(trials={"other": spec(seed=9)})
    there.open_study(other)
    with pytest.raises(BadInput, match=r"another study 'first': 1 trials there, 4 here.*--as"):
        import_study(there, file)
    assert import_study(there, file, name="second").name == "second"
    assert there.plan("first") == other
    second = there.plan("second")
    assert second is not None
    assert second.study.name == "second"
    assert second.trials == TRIALS
    with pytest.raises(BadInput, match="--as: given 'No good'"):
        import_study(there, file, name="No good")


def larger() -> Plan:
    return plan(trials={**TRIALS, "t4": spec(seed=4)})


def smaller() -> Plan:
    return plan(trials={"t0": spec()})


def retitled() -> Plan:
    return plan(title="another title", trials=TRIALS)


def still_open() -> Plan:
    return plan(trials=TRIALS).model_copy(update={"is_open": True})


@pytest.mark.parametrize(
    ("there", "kept_is_theirs"),
    [(larger, True), (smaller, False), (retitled, True), (still_open, False)],
)
def test_of_two_plans_of_which_one_contains_the_other_the_larger_is_kept(
    file: Path, there: Callable[[], Plan], *, kept_is_theirs: bool
) -> None:
    store = MemoryStore()
    store.open_study(there())
    import_study(store, file)
    assert store.plan("first") == (there() if kept_is_theirs else plan(trials=TRIALS))


def test_an_unknown_study_is_bad_input_and_writes_nothing(source: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="STUDY: no study 'frist' in this store; did you mean 'first'"):
        export_study(source, "frist", tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_an_older_export_is_replaced_and_any_other_file_is_not(
    source: MemoryStore, file: Path, tmp_path: Path
) -> None:
    export_study(source, "first", file, files=False)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a", "b")
    (tmp_path / "adviserbench.db").write_bytes(b"precious")
    for name in ("other.zip", "adviserbench.db", "."):
        with pytest.raises(BadInput, match="is there and is no study archive"):
            export_study(source, "first", tmp_path / name)
    assert (tmp_path / "adviserbench.db").read_bytes() == b"precious"


def test_an_export_that_fails_leaves_the_older_one(
    source: MemoryStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def down(trial_id: str) -> TrialResult:
        raise StoreFault("the server is away")

    monkeypatch.setattr(source, "get", down)
    with pytest.raises(StoreFault, match="the server is away"):
        export_study(source, "first", file)
    assert file.read_bytes() == before
    assert not list(file.parent.glob(".new-*"))
    (file.parent / "flat").write_text("")
    with pytest.raises(BadInput, match=r"flat/x\.zip: cannot be written"):
        export_study(source, "first", file.parent / "flat" / "x.zip")


def test_epochs_arrive_where_a_store_shows_them(source: MemoryStore, tmp_path: Path) -> None:
    epochs = (epoch(0, **{"val/mae": 0.9}), epoch(1, **{"val/mae": 0.8}))
    keep(source, result("t3", epochs=epochs))
    export_study(source, "first", tmp_path / "study.zip")
    there = MemoryStore()
    import_study(there, tmp_path / "study.zip")
    assert there.epochs["t3"] == {0: {"val/mae": 0.9}, 1: {"val/mae": 0.8}}
