from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(empty_database, folder / DATABASE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = (
        f"{sys.executable} -m mlflow server --host 127.0.0.1 --port {port} --workers 1 "
        f"--backend-store-uri sqlite:///{DATABASE} --artifacts-destination files"
    )
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command.split(), cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def wait_for(address: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=1).close()  # noqa: S310
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


@pytest.fixture(params=["memory", "mlflow", pytest.param("server", marks=pytest.mark.slow)])
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
    folder = request.getfixturevalue("results")
    return lambda: MlflowStore.local(folder)


@pytest.fixture
def store(reopen: Callable[[], ResultStore]) -> ResultStore:
    return reopen()
