from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from store_samples import failed, plan, predictions, result, spec

from harness.spec import BadInput
from harness.store import MemoryStore
from harness.store.archive import export_study, import_study


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An export of a complete trial with a file and of a failed one."""
    store = MemoryStore()
    store.open_study(plan(trials={f"t{seed}": spec(seed=seed) for seed in range(4)}))
    weights = tmp_path / "weights"
    weights.write_bytes(bytes(range(256)) * 10)
    store.begin("first", "t0", spec())
    store.finish(result("t0", mae=0.1 + 0.2), predictions(), {"checkpoint.bin": weights})
    store.begin("first", "t1", spec(seed=1))
    store.finish(failed("t1"), None, {})
    path = tmp_path / "study.zip"
    export_study(store, "first", path)
    return path


def rewrite(file: Path, change: Callable[[dict[str, bytes]], None], *, seal: bool = True) -> None:
    """Changes the members of an export, and its manifest with them if it is to agree."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if seal:
        manifest = json.loads(members["manifest.json"])
        manifest["members"] = {
            name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in members.items()
            if name != "manifest.json"
        }
        members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def edited(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new)

    return change


def refused(file: Path, match: str) -> None:
    store = MemoryStore()
    with pytest.raises(BadInput, match=match) as caught:
        import_study(store, file)
    assert "\n" not in str(caught.value)
    assert store.studies() == ()


def test_a_number_that_was_changed_is_noticed(file: Path) -> None:
    rewrite(file, edited("trials/t0/trial.json", b"0.30000000000000004", b"0.2"), seal=False)
    refused(file, "trials/t0/trial.json was changed or damaged")


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_a_flipped_or_missing_byte_is_noticed(file: Path, at: float) -> None:
    content = bytearray(file.read_bytes())
    place = int(len(content) * at)
    content[place] ^= 1
    file.write_bytes(content)
    refused(file, "study.zip: ")
    file.write_bytes(content[:place])
    refused(file, "not a study archive, or cut short")


def test_another_format_version_is_named(file: Path) -> None:
    rewrite(file, edited("manifest.json", b'"version": 1', b'"version": 2'), seal=False)
    refused(file, "format version 2; expected adviserbench study, format version 1")


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "notes.txt",
        "trials/../trial.json",
        "trials/t0/other.json",
        "trials/t0/files/../../evil",
        "trials/t0/files/.hidden",
        "trials/t0/files/C:evil",
        "trials/t0/files/a\\b",
    ],
)
def test_a_name_that_leads_out_of_its_folder_or_is_not_ours_is_refused(file: Path, name: str) -> None:
    rewrite(file, lambda members: members.update({name: b"x"}))
    refused(file, "is no part of a study")


def test_what_the_manifest_does_not_list_or_only_lists_is_refused(file: Path) -> None:
    rewrite(file, lambda members: members.update({"trials/t3/trial.json": b"x"}), seal=False)
    refused(file, "differ in trials/t3/trial.json")
    rewrite(file, lambda members: members.pop("trials/t3/trial.json"), seal=False)
    rewrite(file, lambda members: members.pop("trials/t1/trial.json"), seal=False)
    refused(file, "differ in trials/t1/trial.json")


def test_a_record_under_the_name_of_another_trial_is_refused(file: Path) -> None:
    rewrite(file, edited("trials/t1/trial.json", b'"trial_id": "t1"', b'"trial_id": "t9"'))
    refused(file, "trials/t1/trial.json is the record of 't9'")


def test_a_trial_that_the_plan_does_not_have_is_refused(file: Path) -> None:
    rewrite(file, lambda members: members.update({"trials/t9/trial.json": b"{}"}))
    refused(file, "trial 't9' is not in the plan")


@pytest.mark.parametrize("member", ["plan.json", "trials/t1/trial.json"])
def test_what_another_version_wrote_is_refused_before_anything_is_added(file: Path, member: str) -> None:
    rewrite(file, edited(member, b"{", b'{"a_later_field": 1, '))
    refused(file, f"{member} cannot be read: written by another version")


def test_a_file_that_is_no_archive_or_not_there_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a", "b")
    refused(tmp_path / "text", "text: not a study archive")
    refused(tmp_path / "other.zip", "other.zip: not a study archive")
    refused(tmp_path / "gone", "gone: cannot be read: No such file")
    refused(tmp_path, "cannot be read: Is a directory")
