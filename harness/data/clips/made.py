"""Sets of clips that are made here, whole or not at all; a damaged one is told from a whole one."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness.data.parts.hashing import file_hash
from harness.spec import BadInput

MANIFEST = "manifest.json"
_DRAFT = ".draft-"
_REMEDY = "delete the folder to have it made anew"


def ensure(folder: Path, expected: str, make: Callable[[Path], None]) -> None:
    """Has the set made in `folder` unless a whole one of the digest `expected` is there.

    The clips are made in a folder beside it, which takes its name when it is complete: whatever
    interrupts the making leaves no half set.

    Args:
        folder: where the set is, or will be.
        expected: the digest of what decides its clips.
        make: fills an empty folder, and leaves a manifest in it.

    Raises:
        BadInput: the folder holds something else, a damaged set, or cannot be written.
    """
    if _is_absent(folder):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}{_DRAFT}", dir=folder.parent))
        except OSError as error:
            raise BadInput(f"cannot be written: {error.strerror}", file=folder, key="path") from error
        try:
            make(draft)
            _rename(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    check(folder, expected)


def check(folder: Path, expected: str) -> None:
    """Compares the set with its manifest, byte by byte.

    Raises:
        BadInput: no manifest, another digest than `expected`, or a file that is gone or altered.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        digest, files = manifest["digest"], dict(manifest["files"])
    except FileNotFoundError:
        raise BadInput(f"not a rendered set: it has no {MANIFEST}", file=folder, key="path") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"unreadable; {_REMEDY}", file=folder / MANIFEST, key="path") from error
    if digest != expected:
        raise BadInput(
            f"made from other numbers or sentences: expected digest {expected}, found {digest}; "
            f"choose another path or {_REMEDY}",
            file=folder,
            key="path",
        )
    for name, whole in files.items():
        if file_hash(folder / name) != whole:
            raise BadInput(f"altered since it was made; {_REMEDY}", file=folder / name, key="path")


def film(files: Sequence[Path], shoot: Callable[[int], None]) -> None:
    """Makes the folders of `files`, and has each clip shot; `shoot` is given its row."""
    for folder in dict.fromkeys(file.parent for file in files):
        folder.mkdir(parents=True)
    # The encoders work outside the interpreter lock, so threads use all cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(shoot, range(len(files))))


def write_manifest(draft: Path, told: Mapping[str, Any], names: Sequence[str]) -> None:
    """Writes what is told of the set, its digest among it, and the hashes of the files `names`."""
    files = {name: file_hash(draft / name) for name in names}
    manifest = {**told, "files": files}
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _is_absent(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _sweep(folder: Path) -> None:
    """Removes what processes that were killed a day ago or earlier left beside `folder`."""
    for other in folder.parent.iterdir():
        old = (
            other.name.startswith(f"{folder.name}{_DRAFT}")
            and time.time() - other.stat().st_mtime > 86400
        )
        if old:
            shutil.rmtree(other, ignore_errors=True)


def _rename(draft: Path, folder: Path) -> None:
    # mkdtemp hides the folder from other users, who may well want to read the data.
    draft.chmod(0o755)
    try:
        draft.rename(folder)
    except OSError:
        # Another process was faster: its set is checked like any other.
        if _is_absent(folder):
            raise
