"""Where the files of a run lie: in a local folder, or behind a tracking server."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Artifacts(Protocol):
    """Files by run id and name."""

    checkable: bool
    """Whether reading a file costs so little that every record may be looked at."""

    def put(self, run_id: str, name: str, source: Path) -> None:
        """Copies the file in, over an older one of that name."""

    def path(self, run_id: str, name: str) -> Path | None:
        """A local path of the file, or None when there is none."""

    def names(self, run_id: str) -> frozenset[str]:
        """What the run has files of."""


class LocalArtifacts:
    """Files in a folder, laid out as MLflow does for an experiment whose location it is.

    The folder is taken as it is now and not as the database remembers it, so that a results folder
    can be moved or copied to another machine.
    """

    checkable = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def put(self, run_id: str, name: str, source: Path) -> None:
        """Copies the file in; a reader sees the old file or the new one, never a part."""
        target = self._path(run_id, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(source, partial)
        with partial.open("rb+") as copied:
            # What is left of the trial elsewhere is removed soon: this must outlive a power cut.
            os.fsync(copied.fileno())
        partial.replace(target)

    def path(self, run_id: str, name: str) -> Path | None:
        """The path of the file itself, or None when there is none."""
        path = self._path(run_id, name)
        return path if path.is_file() else None

    def names(self, run_id: str) -> frozenset[str]:
        """The names in the run's folder; what `put` has not finished is left out."""
        try:
            found = [path.name for path in self._path(run_id, "").iterdir() if path.is_file()]
        except FileNotFoundError:
            return frozenset()
        return frozenset(name for name in found if not name.startswith("."))

    def _path(self, run_id: str, name: str) -> Path:
        return self._folder / run_id / "artifacts" / name


class RemoteArtifacts:
    """Files that go through the MLflow client; what is read is kept until the process ends."""

    checkable = False

    def __init__(self, client: MlflowClient) -> None:
        self._client = client
        self._cache = tempfile.TemporaryDirectory(prefix="adviserbench-")

    def put(self, run_id: str, name: str, source: Path) -> None:
        """Uploads the file under its name."""
        with tempfile.TemporaryDirectory() as folder:
            # MLflow keeps the name of the file it is given.
            named = source if source.name == name else Path(shutil.copyfile(source, Path(folder) / name))
            self._client.log_artifact(run_id, str(named))

    def path(self, run_id: str, name: str) -> Path | None:
        """The path of a fresh local copy, or None when the run has no such file."""
        if name not in self.names(run_id):
            return None
        folder = Path(self._cache.name) / run_id
        folder.mkdir(exist_ok=True)
        return Path(self._client.download_artifacts(run_id, name, str(folder)))

    def names(self, run_id: str) -> frozenset[str]:
        """The names of the run's files, as the server lists them."""
        listed = self._client.list_artifacts(run_id)
        return frozenset(str(item.path) for item in listed if not item.is_dir)
