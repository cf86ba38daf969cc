from __future__ import annotations

import io
import multiprocessing
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from store_samples import failed, predictions, result

from harness.store.outbox import Outbox, UnreadableEntry

NAMES = {"checkpoint.safetensors": b"weights", "advice.safetensors": b"outputs"}


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def files(folder: Path) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in NAMES.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in NAMES}


def test_an_entry_comes_back_as_it_was_committed(outbox: Outbox, tmp_path: Path) -> None:
    given = files(tmp_path / "work")
    outbox.commit("first", result(), predictions(), given)
    assert outbox.ids() == ("t0",)
    assert outbox.has("t0")
    assert outbox.study("t0") == "first"
    found = outbox.result("t0")
    assert found is not None
    assert found.model_dump_json() == result().model_dump_json()
    pd.testing.assert_frame_equal(outbox.predictions("t0"), predictions(), check_exact=True)
    assert {name: path.read_bytes() for name, path in outbox.files("t0").items()} == NAMES
    assert outbox.artifact("t0", "advice.safetensors") == outbox.files("t0")["advice.safetensors"]
    assert outbox.artifact("t0", "other") is None
    assert not any(path.exists() for path in given.values())


def test_an_outbox_without_a_folder_has_no_entries(outbox: Outbox) -> None:
    assert outbox.ids() == ()
    assert not outbox.has("t0")
    assert outbox.study("t0") is None
    assert outbox.result("t0") is None
    assert outbox.predictions("t0") is None
    assert outbox.files("t0") == {}
    assert outbox.artifact("t0", "a") is None
    outbox.remove("t0")
    outbox.remove_leftovers()
    assert outbox.set_aside("t0") is None
    assert not outbox.folder.exists()


def test_a_failed_trial_has_no_predictions_and_no_files(outbox: Outbox) -> None:
    outbox.commit("first", failed(), None, {})
    assert outbox.predictions("t0") is None
    assert outbox.files("t0") == {}


def test_the_first_entry_of_a_trial_stays(outbox: Outbox) -> None:
    outbox.commit("first", result(mae=0.5), None, {})
    outbox.commit("second", result(mae=0.6), None, {})
    outbox.commit("second", failed(), None, {})
    assert outbox.result("t0").metrics["test/mae"] == 0.5
    assert outbox.study("t0") == "first"
    assert [path.name for path in outbox.folder.iterdir()] == ["t0"]


def test_a_failed_entry_makes_way_for_the_trial_run_again(outbox: Outbox) -> None:
    outbox.commit("first", failed(), None, {})
    outbox.commit("first", result(), predictions(), {})
    assert outbox.result("t0").state == "complete"
    assert [path.name for path in outbox.folder.iterdir()] == ["t0"]


class Killed(BaseException):
    """The process ends here."""


def die_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Callable[[], int]:
    """Ends the process at that step of all that touch the disk; tells how many steps there were."""
    seen = [0]

    def counted(work: Callable) -> Callable:
        def call(*given: object, **more: object) -> object:
            seen[0] += 1
            if seen[0] == step:
                raise Killed
            return work(*given, **more)

        return call

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(Path, "rename", counted(Path.rename))
    monkeypatch.setattr(Path, "write_text", counted(Path.write_text))
    monkeypatch.setattr(shutil, "move", counted(shutil.move))
    # Nobody cleans up after a process that was killed.
    monkeypatch.setattr(shutil, "rmtree", lambda *given, **more: None)
    return lambda: seen[0]


def test_wherever_a_commit_is_killed_there_is_a_whole_entry_or_none(
    outbox: Outbox, tmp_path: Path
) -> None:
    step, whole = 0, 0
    while not whole:
        step += 1
        shutil.rmtree(outbox.folder, ignore_errors=True)
        with pytest.MonkeyPatch.context() as patch:
            steps = die_at(patch, step)
            try:
                outbox.commit("first", result(), predictions(), files(tmp_path / "work"))
            except Killed:
                pass
            else:
                whole = steps()
        if outbox.has("t0"):
            assert outbox.result("t0") is not None
            assert outbox.predictions("t0") is not None
            assert {name: path.read_bytes() for name, path in outbox.files("t0").items()} == NAMES
        # The next run of the trial is not disturbed by what is left.
        outbox.commit("first", result(), predictions(), files(tmp_path / "work"))
        assert outbox.ids() == ("t0",)
    # Two texts, two moves, five files and two folders to the disk, one rename, its folder to the disk.
    assert whole == 13


def test_a_disk_that_is_full_leaves_no_entry_and_no_draft(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        outbox.commit("first", result(), predictions(), {})
    assert list(outbox.folder.iterdir()) == []


def _commit(folder: Path, start: object, mae: float) -> None:
    start.wait()
    Outbox(folder).commit("first", result(mae=mae), predictions(), files(folder.parent / f"{mae}"))


def test_of_two_processes_that_commit_a_trial_one_makes_the_entry(outbox: Outbox) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Barrier(3)
    workers = [
        context.Process(target=_commit, args=(outbox.folder, start, mae)) for mae in (0.1, 0.2, 0.3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert [path.name for path in outbox.folder.iterdir()] == ["t0"]
    assert outbox.result("t0").metrics["test/mae"] in {0.1, 0.2, 0.3}
    assert len(outbox.files("t0")) == 2


def test_a_removed_entry_is_gone_at_once_even_if_its_files_are_not(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.commit("first", result(), predictions(), {})
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *given, **more: None)
        outbox.remove("t0")
    assert outbox.ids() == ()
    assert not outbox.has("t0")
    (left,) = outbox.folder.iterdir()
    outbox.remove_leftovers()
    assert left.exists()
    os.utime(left, (0, 0))
    outbox.remove_leftovers()
    assert not left.exists()


def test_a_packed_entry_unpacks_to_the_same_elsewhere(outbox: Outbox, tmp_path: Path) -> None:
    outbox.commit("first", result(), predictions(), files(tmp_path / "work"))
    other = Outbox(tmp_path / "other" / "outbox")
    for _ in range(2):
        assert other.unpack(outbox.pack("t0")) == "t0"
    assert [path.name for path in other.folder.iterdir()] == ["t0"]
    assert other.study("t0") == "first"
    assert other.result("t0").model_dump_json() == result().model_dump_json()
    assert {name: path.read_bytes() for name, path in other.files("t0").items()} == NAMES
    assert outbox.has("t0")
    with pytest.raises(KeyError, match="no entry of trial 't1'"):
        outbox.pack("t1")


@pytest.mark.parametrize(
    "name",
    ["../out", "files/../../out", "files/a/b", "/etc/out", "files/..", "a\\b", "files/a\\b", "other"],
)
def test_a_packed_file_outside_of_its_entry_is_refused(
    outbox: Outbox, tmp_path: Path, name: str
) -> None:
    outbox.commit("first", result(), None, {})
    packed = io.BytesIO(outbox.pack("t0"))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(name, "evil")
    other = Outbox(tmp_path / "other")
    with pytest.raises(UnreadableEntry, match="not a packed trial"):
        other.unpack(packed.getvalue())
    assert not other.folder.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("cut", [0, 100, -30])
def test_a_pack_that_is_cut_short_is_refused(outbox: Outbox, tmp_path: Path, cut: int) -> None:
    outbox.commit("first", result(), None, {})
    other = Outbox(tmp_path / "other")
    with pytest.raises(UnreadableEntry):
        other.unpack(outbox.pack("t0")[:cut])
    assert other.ids() == ()


@pytest.mark.parametrize("trial", ["../t0", "", ".t0", "a/b"])
def test_a_trial_id_that_leads_elsewhere_is_refused(outbox: Outbox, trial: str) -> None:
    with pytest.raises(ValueError, match="no plain name"):
        outbox.commit("first", result(trial), None, {})
    with pytest.raises(ValueError, match="no plain name"):
        outbox.has(trial)


def test_a_damaged_entry_says_so_and_can_be_set_aside(outbox: Outbox) -> None:
    for _ in range(2):
        outbox.commit("first", result(), predictions(), {})
        (outbox.folder / "t0" / "trial.json").write_text("{")
        with pytest.raises(UnreadableEntry, match=r"trial\.json: not a record"):
            outbox.result("t0")
        (outbox.folder / "t0" / "predictions.parquet").write_bytes(b"PAR1")
        with pytest.raises(UnreadableEntry, match="not predictions"):
            outbox.predictions("t0")
        (outbox.folder / "t0" / "trial.json").unlink()
        with pytest.raises(UnreadableEntry, match="missing"):
            outbox.result("t0")
        assert outbox.set_aside("t0") is not None
    assert outbox.ids() == ()
    assert len(list(outbox.folder.glob("t0.unreadable*"))) == 2


def test_the_record_of_another_trial_is_no_record(outbox: Outbox) -> None:
    outbox.commit("first", result("t0"), None, {})
    (outbox.folder / "t0").rename(outbox.folder / "t1")
    with pytest.raises(UnreadableEntry, match="the record of 't0'"):
        outbox.result("t1")
