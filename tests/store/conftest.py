from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.store import MemoryStore, ResultStore
from harness.store.mlflow_client import create_database
from harness.store.mlflow_store import DATABASE, MlflowStore


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


@pytest.fixture(params=["memory", "mlflow"])
def reopen(request: pytest.FixtureRequest) -> Iterator[Callable[[], ResultStore]]:
    """Opens the same store: as another process would, where the store outlives its process."""
    if request.param == "memory":
        store = MemoryStore()
        yield lambda: store
    else:
        folder = request.getfixturevalue("results")
        yield lambda: MlflowStore.local(folder)


@pytest.fixture
def store(reopen: Callable[[], ResultStore]) -> ResultStore:
    return reopen()
