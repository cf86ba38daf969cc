"""What is wrong with the place is one line, and what was stored stays."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy
from mlflow.exceptions import MlflowException
from store_samples import epoch, plan, predictions, result, spec

from harness.spec import BadInput
from harness.store import StoreFault, open_store, reachable
from harness.store.mlflow.faults import reason
from harness.store.mlflow.settings import settle
from harness.store.mlflow.store import DATABASE, MlflowStore


def shown(store: MlflowStore) -> list:
    found = store._client.search_runs([store._experiment], order_by=["attributes.start_time ASC"])
    return list(found)


@pytest.fixture
def finished(local: MlflowStore) -> MlflowStore:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    local.finish(result(), predictions(), {})
    return local


def no_space(*given: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_write_that_is_tried_again_after_a_fault_shows_nothing_twice(
    local: MlflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.open_study(plan())
    local.begin("first", "t0", spec())
    with monkeypatch.context() as broken:
        broken.setattr(local._files, "put", no_space)
        with pytest.raises(StoreFault, match=r"adviserbench\.db: No space left on device$"):
            local.finish(result(), predictions(), {})
    assert local.states(["t0"]) == {}
    local.begin("first", "t0", spec())
    local.finish(result(), predictions(), {})
    assert [run.info.status for run in shown(local)[1:]] == ["FINISHED"]
    run_id = shown(local)[1].info.run_id
    for name in ("val/mae", "final/test/mae"):
        assert len(local._client.get_metric_history(run_id, name)) == 1


def fill(store: MlflowStore) -> None:
    for number in range(500):
        store.begin("first", f"t{number}", spec())
        store.finish(result(f"t{number}"), None, {})


def test_a_full_database_is_a_fault_in_one_line(local: MlflowStore) -> None:
    local.open_study(plan())
    engine = local._client._tracking_client.store.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def limit(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    engine.dispose()
    sqlalchemy.event.listen(engine, "connect", limit)
    with pytest.raises(StoreFault, match=r"adviserbench\.db: database or disk is full$"):
        fill(local)


def test_a_read_only_database_is_a_fault_and_can_still_be_read(
    finished: MlflowStore,
) -> None:
    engine = finished._client._tracking_client.store.engine
    engine.dispose()
    sqlalchemy.event.listen(
        engine, "connect", lambda made, record: made.execute("PRAGMA query_only = 1")
    )
    with pytest.raises(StoreFault, match=r"adviserbench\.db: attempt to write a readonly database$"):
        finished.begin("first", "t1", spec())
    assert finished.complete(["t0"]) == {"t0"}


def test_a_database_that_was_deleted_takes_nothing(finished: MlflowStore, results: Path) -> None:
    (results / DATABASE).unlink()
    with pytest.raises(StoreFault, match="the database is gone"):
        finished.begin("first", "t1", spec())
    with pytest.raises(StoreFault, match="the database is gone"):
        finished.states(["t0"])


def test_a_locked_database_is_waited_for(finished: MlflowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, left = finished._client.create_run, [1, 1]

    def locked(*given: object, **more: object) -> object:
        if left:
            left.pop()
            raise MlflowException("(sqlite3.OperationalError) database is locked")
        return whole(*given, **more)

    monkeypatch.setattr(finished._client, "create_run", locked)
    finished.begin("first", "t1", spec())
    assert not left


def refused() -> None:
    try:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    except OSError as error:
        raise MlflowException("API request failed with\nmany words") from error


def test_a_fault_is_said_by_its_cause_and_without_passwords() -> None:
    with pytest.raises(MlflowException) as caught:
        refused()
    assert reason(caught.value) == "Connection refused"
    assert reason(ValueError("no answer from http://me:secret@host/x")) == (
        "no answer from http://***@host/x"
    )
    assert reason(ValueError()) == "ValueError"


def test_settings_leave_a_users_own_alone_and_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    settle()
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "7"


def test_a_store_in_use_writes_no_variable(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The courier's thread would do so while another thread's C code reads one, which is a crash.
    store, written = MlflowStore.local(results), []
    monkeypatch.setattr("os.putenv", lambda *given: written.append(given))
    monkeypatch.setattr("os.unsetenv", lambda *given: written.append(given))
    store.open_study(plan())
    store.begin("first", "t0", spec())
    store.log_epochs("t0", [epoch(0, **{"val/mae": 1.0})])
    store.finish(result(), predictions(), {})
    assert store.complete(["t0"]) == {"t0"}
    assert written == []


@pytest.mark.parametrize(
    ("installed", "scheme"),
    [({"psycopg2"}, "postgresql+psycopg2"), ({"psycopg2", "psycopg"}, "postgresql"), ((), "postgresql")],
)
def test_a_postgresql_uri_gets_the_driver_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, installed: set[str], scheme: str
) -> None:
    monkeypatch.setattr(reachable, "find_spec", lambda name: name if name in installed else None)
    assert reachable.with_driver("postgresql://me@host/db") == f"{scheme}://me@host/db"
    assert reachable.with_driver("postgresql+asyncpg://host/db") == "postgresql+asyncpg://host/db"
    assert reachable.with_driver("sqlite:///x.db") == "sqlite:///x.db"


def test_results_that_lie_where_nothing_can_be_written_are_refused_in_one_line(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is forbidden to root, who may be running this.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != results)

    def closed(*given: object, **more: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr("sqlite3.connect", closed)
    with pytest.raises(BadInput, match=r"unable to open database file; .*: copy the folder$"):
        open_store(results, create=False)
