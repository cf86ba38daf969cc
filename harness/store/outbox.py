"""Finished trials on disk that the store does not have yet, each one folder made in one rename."""

from __future__ import annotations

import errno
import io
import os
import shutil
import time
import uuid
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.spec import TrialResult
from harness.store.record import (
    PREDICTIONS,
    RECORD,
    read_predictions,
    write_predictions,
    write_record,
)

if TYPE_CHECKING:
    import pandas as pd

OUTBOX = "outbox"
"""Its name in a folder of results."""

_STUDY = "study"
_FILES = "files"
_UNREADABLE = ".unreadable"

LENT = ".lent-"
"""How folders begin that hold links to files of entries, for readers to use when the entry is gone."""

_DRAFT = ".new-"
_REMOVED = ".gone-"
_HOUR = 3600.0
_LEFT_SECONDS = {_DRAFT: _HOUR, _REMOVED: _HOUR, LENT: 7 * 24 * _HOUR}
"""How long something untouched may still be in use."""


class UnreadableEntry(ValueError):
    """An entry is there, and its content cannot be made sense of."""


class Outbox:
    """Entries by trial id: the study's name, the record, predictions and files.

    Any number of processes may commit, read and remove at a time; a reader sees a whole entry or
    none. An entry outlives a power cut once `commit` returned. Reading an entry that is not there
    gives None; one that is damaged raises `UnreadableEntry`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def commit(
        self,
        study: str,
        result: TrialResult,
        predictions: pd.DataFrame | None,
        files: Mapping[str, Path],
    ) -> None:
        """Keeps a finished trial, and moves its files in.

        An entry that is already there stays and this one is dropped, unless that one failed: then it
        was run again for a better one.

        Raises:
            OSError: the disk is full or cannot be written; there is no entry then, and the files may
                be gone.
        """
        draft = self._draft(result.trial_id)
        try:
            (draft / _STUDY).write_text(study, encoding="utf-8")
            for name, path in files.items():
                shutil.move(path, draft / _FILES / _plain(name))
            if predictions is not None:
                write_predictions(predictions, draft)
            write_record(result, draft)
            self._place(draft, result.trial_id)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def ids(self) -> tuple[str, ...]:
        """The trials that have an entry, sorted."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return ()
        return tuple(sorted(name for name in names if name[0] != "." and _UNREADABLE not in name))

    def has(self, trial_id: str) -> bool:
        """Whether the trial has an entry."""
        return self._entry(trial_id).is_dir()

    def study(self, trial_id: str) -> str | None:
        """The study that ran the trial."""
        content = self._read(trial_id, _STUDY)
        return None if content is None else content.decode("utf-8", errors="replace")

    def result(self, trial_id: str) -> TrialResult | None:
        """The record."""
        content = self._read(trial_id, RECORD)
        if content is None:
            return None
        try:
            result = TrialResult.model_validate_json(content)
        except ValidationError as error:
            raise UnreadableEntry(f"{self._entry(trial_id) / RECORD}: not a record") from error
        if result.trial_id != trial_id:
            raise UnreadableEntry(f"{self._entry(trial_id) / RECORD}: the record of '{result.trial_id}'")
        return result

    def predictions(self, trial_id: str) -> pd.DataFrame | None:
        """The predictions, if the trial left any."""
        path = self._entry(trial_id) / PREDICTIONS
        try:
            return read_predictions(path)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            # A parquet file that is cut short is said to be an OSError without a number.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise UnreadableEntry(f"{path}: not predictions") from error

    def files(self, trial_id: str) -> dict[str, Path]:
        """The files by artifact name; the paths are good until the entry is removed."""
        try:
            return {path.name: path for path in sorted((self._entry(trial_id) / _FILES).iterdir())}
        except FileNotFoundError:
            return {}

    def artifact(self, trial_id: str, name: str) -> Path | None:
        """The path of one file, good until the entry is removed."""
        path = self._entry(trial_id) / _FILES / _plain(name)
        return path if path.is_file() else None

    def remove(self, trial_id: str) -> None:
        """Takes the entry away, if there is one."""
        aside = self.folder / f"{_REMOVED}{uuid.uuid4().hex}"
        try:
            self._entry(trial_id).rename(aside)
        except FileNotFoundError:
            return
        shutil.rmtree(aside, ignore_errors=True)

    def set_aside(self, trial_id: str) -> Path | None:
        """Where an entry that cannot be read now lies, out of the way of the others."""
        entry = self._entry(trial_id)
        target = entry.with_name(f"{trial_id}{_UNREADABLE}")
        if target.exists():
            target = entry.with_name(f"{target.name}-{uuid.uuid4().hex[:8]}")
        try:
            return entry.rename(target)
        except FileNotFoundError:
            return None

    def pack(self, trial_id: str) -> bytes:
        """The entry as one archive, to be unpacked in an outbox on another machine.

        Raises:
            KeyError: there is no such entry.
        """
        entry, packed = self._entry(trial_id), io.BytesIO()
        if not entry.is_dir():
            raise KeyError(f"no entry of trial '{trial_id}' in {self.folder}")
        # Not compressed: weights do not get smaller, only slower.
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted(path for path in entry.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(entry).as_posix())
        return packed.getvalue()

    def unpack(self, data: bytes) -> str:
        """The trial id of a packed entry, which is an entry here now; one that is there stays.

        Raises:
            UnreadableEntry: the data is no packed entry, or names a file outside of it.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                content = {name: archive.read(name) for name in archive.namelist()}
            trial_id = TrialResult.model_validate_json(content[RECORD]).trial_id
            paths = {_inside(name): bytes_ for name, bytes_ in content.items()}
            draft = self._draft(trial_id)
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise UnreadableEntry(f"not a packed trial: {error}") from error
        try:
            for path, bytes_ in paths.items():
                (draft / path).write_bytes(bytes_)
            self._place(draft, trial_id)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return trial_id

    def remove_leftovers(self) -> None:
        """Takes away what killed processes left, once it is so old that none can be using it."""
        for kind, seconds in _LEFT_SECONDS.items():
            for left in self.folder.glob(f"{kind}*"):
                with suppress(FileNotFoundError):
                    if time.time() - left.stat().st_mtime > seconds:
                        shutil.rmtree(left, ignore_errors=True)

    def _entry(self, trial_id: str) -> Path:
        return self.folder / _plain(trial_id)

    def _draft(self, trial_id: str) -> Path:
        draft = self.folder / f"{_DRAFT}{_plain(trial_id)}-{uuid.uuid4().hex}"
        (draft / _FILES).mkdir(parents=True)
        return draft

    def _place(self, draft: Path, trial_id: str) -> None:
        for path in (*draft.rglob("*"), draft):
            _to_disk(path)
        if not self._rename(draft, trial_id) and self._has_failed(trial_id):
            self.remove(trial_id)
            self._rename(draft, trial_id)
        _to_disk(self.folder)

    def _rename(self, draft: Path, trial_id: str) -> bool:
        try:
            draft.rename(self._entry(trial_id))
        except OSError as error:
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                raise
            return False
        return True

    def _has_failed(self, trial_id: str) -> bool:
        try:
            result = self.result(trial_id)
        except UnreadableEntry:
            return True
        return result is not None and result.state == "failed"

    def _read(self, trial_id: str, name: str) -> bytes | None:
        try:
            return (self._entry(trial_id) / name).read_bytes()
        except FileNotFoundError as error:
            if self.has(trial_id):
                raise UnreadableEntry(f"{error.filename}: missing") from error
            return None


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _inside(name: str) -> Path:
    """The path of a packed file in its entry."""
    folder, _, file = name.rpartition("/")
    if folder not in {"", _FILES} or (not folder and file not in {_STUDY, RECORD, PREDICTIONS}):
        raise ValueError(f"'{name}' is no file of an entry")
    return Path(folder) / _plain(file)


def _plain(name: str) -> str:
    """The name itself, if it names something in the very folder."""
    if not name or name.startswith(".") or {"/", "\\", "\0"} & set(name):
        raise ValueError(f"'{name}' is no plain name")
    return name
