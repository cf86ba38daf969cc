"""A ready MLflow client for a tracking URI, or one line that says why there is none."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.spec import BadInput
from harness.store.mlflow.faults import SQLITE, reason
from harness.store.mlflow.settings import settle
from harness.store.reachable import check_reachable, without_password

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "adviserbench"
WEB = ("http://", "https://")

_DRAFT = ".new-"


def connect(uri: str, artifacts: Path | None) -> tuple[MlflowClient, str]:
    """A client of the tracking URI and the id of our experiment there, made when absent.

    Raises:
        BadInput: With key ``--out`` for a database file, ``--store`` for anything else.
    """
    if uri.startswith(SQLITE):
        database = Path(uri.removeprefix(SQLITE))
        create_database(database)
        return _connected(uri, artifacts, file=str(database), key="--out")
    if uri.startswith(WEB):
        _check_server(uri)
    else:
        check_reachable(uri)
    return _connected(uri, artifacts, key="--store")


def create_database(database: Path) -> None:
    """Makes an empty MLflow database at that path unless one is there.

    MLflow's migrations are not one transaction, so the database is built under another name and
    linked into place: a killed process leaves none rather than half of one, and of two processes
    that start together the second finds the first one's.
    """
    if database.exists():
        _check_database(database)
        return
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=_DRAFT) as folder:
            fresh = Path(folder) / database.name
            _migrate(fresh)
            with suppress(FileExistsError):
                os.link(fresh, database)
        _remove_leftovers(database.parent)
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror or error}", file=database.parent, key="--out"
        ) from error


def _migrate(fresh: Path) -> None:
    client = _client(f"{SQLITE}{fresh}")
    client.search_experiments(max_results=1)
    # No connection may be left on a file that is about to have another name.
    client._tracking_client.store._dispose_engine()
    with closing(sqlite3.connect(fresh)) as connection:
        # Readers and a writer do not wait for each other, and a commit is one write. It is kept in the
        # file. It needs shared memory: several machines on a network file system cannot use it, and
        # share a tracking server or a database server instead.
        connection.execute("PRAGMA journal_mode = WAL")


def _remove_leftovers(folder: Path) -> None:
    """Takes away what killed processes left; a folder younger than an hour may still be in use."""
    for left in folder.glob(f"{_DRAFT}*"):
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)


def _check_database(database: Path) -> None:
    try:
        location = f"{database.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(location, uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        why = str(error)
        if not os.access(database.parent, os.W_OK):
            why += (
                "; SQLite writes beside what it reads, and nothing can be written here: copy the folder"
            )
        raise BadInput(f"not a usable SQLite database: {why}", file=database, key="--out") from error


def _check_server(uri: str) -> None:
    # MLflow's own client retries a dead server for minutes; one early question answers in seconds.
    # Name and password stay out of it: an answer that forbids is an answer too.
    scheme, _, rest = uri.partition("://")
    address = f"{scheme}://{rest.rpartition('@')[2].rstrip('/')}"
    fault: object = None
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 (http only)
            return
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            fault = f"it answers {error.code}"
    except (OSError, ValueError) as error:
        fault = getattr(error, "reason", error)
    if fault is not None:
        raise BadInput(f"no MLflow server at {address}: {fault}", key="--store")


def _connected(
    uri: str, artifacts: Path | None, *, key: str, file: str = ""
) -> tuple[MlflowClient, str]:
    from sqlalchemy.exc import SQLAlchemyError

    _import_mlflow()
    from mlflow.exceptions import MlflowException

    try:
        client = _client(uri)
        return client, experiment_id(client, EXPERIMENT, artifacts)
    except (MlflowException, SQLAlchemyError, ImportError, OSError) as error:
        why = reason(error).replace(uri, without_password(uri))
        raise BadInput(
            f"MLflow cannot use {without_password(uri)}: {why}", file=file, key=key
        ) from error


def experiment_id(client: MlflowClient, name: str, artifacts: Path | None = None) -> str:
    """The id of the experiment of that name, which is made when absent, its files below `artifacts`.

    Raises:
        MlflowException: there is one, and it is deleted.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        location = None if artifacts is None else artifacts.resolve().as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            # Another process may have made it between the question and the order.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise MlflowException(f"its experiment '{name}' is deleted; restore it there first")
    return str(found.experiment_id)


def _client(uri: str) -> MlflowClient:
    _import_mlflow()
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _import_mlflow() -> None:
    # It starts its telemetry while it is imported.
    settle()
    import mlflow  # noqa: F401
