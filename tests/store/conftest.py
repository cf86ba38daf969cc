from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer, find_binaries
from tracking_server import TrackingServer

from harness.store import MemoryStore, ResultStore, open_store
from harness.store.mlflow import client as mlflow_client
from harness.store.mlflow.client import create_database
from harness.store.mlflow.store import DATABASE, MlflowStore


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / DATABASE
    create_database(path)
    return path


@pytest.fixture
def results(tmp_path: Path, empty_database: Path) -> Path:
    """A results folder whose database needs no migration any more."""
    folder = tmp_path / "results"
    folder.mkdir()
    shutil.copyfile(empty_database, folder / DATABASE)
    return folder


@pytest.fixture
def local(results: Path) -> MlflowStore:
    return MlflowStore.local(results)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[str]:
    """The address of a tracking server on this machine."""
    made = TrackingServer(tmp_path_factory.mktemp("server"), empty_database)
    try:
        made.start()
        yield made.address
    finally:
        made.kill()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A database server on this machine, where one is installed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed")
    # Not below pytest's folders: no other user may look into them, and root cannot be that server.
    with tempfile.TemporaryDirectory(prefix="adviserbench-postgres-") as folder:
        Path(folder).chmod(0o755)
        made = PostgresServer(Path(folder), binaries)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="session")
def postgres_uri(postgres: PostgresServer) -> str:
    """One database for all tests: MLflow takes seconds to make its tables."""
    return postgres.create("contract")


@pytest.fixture(
    params=[
        "memory",
        "mlflow",
        pytest.param("server", marks=pytest.mark.slow),
        pytest.param("postgres", marks=pytest.mark.slow),
    ]
)
def reopen(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], ResultStore]:
    """Opens the same store: as another process would, where the store outlives its process."""
    if request.param == "memory":
        store = MemoryStore()
        return lambda: store
    if request.param == "server":
        # One server for all tests: each finds an experiment of its own there.
        monkeypatch.setattr(mlflow_client, "EXPERIMENT", request.node.name)
        server = request.getfixturevalue("server")
        return lambda: open_store(tmp_path, server)
    if request.param == "postgres":
        uri = request.getfixturevalue("postgres_uri")
        monkeypatch.setattr(mlflow_client, "EXPERIMENT", request.node.name)
        return lambda: open_store(tmp_path, uri)
    folder = request.getfixturevalue("results")
    return lambda: MlflowStore.local(folder)


@pytest.fixture
def store(reopen: Callable[[], ResultStore]) -> ResultStore:
    return reopen()
