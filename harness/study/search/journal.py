"""Optuna's journal file: locked by the kernel, and read through before it is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.storages.journal import JournalFileBackend, JournalStorage

UNREADABLE = (KeyError, TypeError, ValueError)
"""What Optuna raises over records that are none of its own."""


class KernelLock:
    """A lock that ends with its process, however that ends.

    Optuna's own is a file that stays behind when its owner is killed.
    """

    def __init__(self, journal: Path) -> None:
        self._lock = FileLock(f"{journal}.lock")

    def acquire(self) -> bool:
        """Waits until the lock is ours: it is held for one short write at a time."""
        self._lock.acquire()
        return True

    def release(self) -> None:
        """Gives it up."""
        self._lock.release()


def open_journal(path: Path) -> tuple[optuna.storages.BaseStorage, str]:
    """The journal's storage, and a line for the user if it had to begin anew, else nothing.

    A journal with a line that is cut or no record is set aside under another name: Optuna would read
    none of it, or write on behind the cut. What it said is in the result store.

    Raises:
        OSError: the folder or the file cannot be used.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    said = _set_aside(path, fault) if fault(path) else ""
    try:
        return _opened(path), said
    except UNREADABLE:
        said = _set_aside(path, _contradiction)
        return _opened(path), said


def fault(path: Path) -> str:
    """Which line of the journal is none, and why; nothing if all are, or there is no journal."""
    if not path.exists():
        return ""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return f"line {number} is cut off"
            try:
                record = json.loads(line)
            except ValueError:
                return f"line {number} is not JSON"
            if not (isinstance(record, dict) and {"op_code", "worker_id"} <= record.keys()):
                return f"line {number} is no record of Optuna's"
    return ""


def _opened(path: Path) -> optuna.storages.BaseStorage:
    return JournalStorage(JournalFileBackend(str(path), KernelLock(path)))


def _contradiction(path: Path) -> str:
    """Why Optuna cannot follow a journal of which each line is a record."""
    try:
        _opened(path)
    except UNREADABLE as error:
        lines = path.read_bytes().count(b"\n")
        return f"one of lines 1 to {lines} does not follow from those before it ({error!r})"
    return ""


def _set_aside(path: Path, find: Callable[[Path], str]) -> str:
    lock = KernelLock(path)
    lock.acquire()
    try:
        # Looked at again: what seemed cut may have been a write under way.
        found = find(path)
        if not found:
            return ""
        aside = _free_name(path)
        path.rename(aside)
    finally:
        lock.release()
    return (
        f"{path}: {found}; it is kept as {aside.name}, and the journal is written anew "
        "from the records of the result store"
    )


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    return aside
