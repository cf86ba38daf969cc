from __future__ import annotations

from pathlib import Path

import pytest

from harness.spec import BadInput
from harness.store import StoreFault
from harness.store.claims import open_claims


def test_one_store_has_one_place_of_claims_however_it_is_named(tmp_path: Path) -> None:
    assert open_claims(tmp_path).take("a")
    assert not open_claims(tmp_path / "other", f"sqlite:///{tmp_path / 'adviserbench.db'}").take("a")
    assert open_claims(tmp_path, f"sqlite:///{tmp_path / 'second.db'}").take("a")
    assert {path.suffix for path in tmp_path.iterdir()} <= {".db", ".db-wal", ".db-shm"}


@pytest.mark.parametrize(
    "uri", ["http://me:secret@127.0.0.1:9", "postgresql://me:secret@127.0.0.1:9/db"]
)
def test_a_place_that_does_not_answer_is_a_fault_of_one_line(tmp_path: Path, uri: str) -> None:
    with pytest.raises(StoreFault) as caught:
        open_claims(tmp_path, uri)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize("uri", ["nonsense://me:secret@x", "sqlite+x://secret", "x"])
def test_a_uri_that_is_none_is_bad_input(tmp_path: Path, uri: str) -> None:
    with pytest.raises(BadInput, match=r"^--store: ") as caught:
        open_claims(tmp_path, uri)
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_made_or_a_file_that_is_no_database_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFault, match=r"file/claims\.db: (Not a directory|File exists)"):
        open_claims(tmp_path / "file")
    (tmp_path / "claims.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreFault, match=r"claims\.db: file is not a database"):
        open_claims(tmp_path)


def test_a_full_disk_is_a_fault_and_what_was_claimed_stays(tmp_path: Path) -> None:
    claims = open_claims(tmp_path)
    assert claims.take("a")
    with claims._database.connected() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(StoreFault, match=r"claims\.db: database or disk is full"):
        claims.take("long" * 10_000)
    assert "a" in claims.live()


def test_a_database_that_may_not_be_written_is_a_fault_and_can_still_be_read(tmp_path: Path) -> None:
    claims = open_claims(tmp_path)
    claims.take("a")
    with claims._database.connected() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreFault, match=r"claims\.db: attempt to write a readonly database"):
        claims.take("b")
    assert set(claims.live()) == {"a"}
