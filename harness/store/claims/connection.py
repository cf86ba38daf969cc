"""Connections to the database that keeps claims; whatever fails there is a `StoreFault`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from harness.spec import BadInput
from harness.store.base import StoreFault
from harness.store.claims.table import CLAIMS
from harness.store.reachable import with_driver

PATIENCE_SECONDS = 60.0
"""How long a statement waits for others to leave a SQLite file."""

# A dead server is noticed by these drivers after minutes unless they are told otherwise.
_TIMED = ("psycopg2", "psycopg", "pymysql", "mysqldb")


class Database:
    """Connections for any number of threads, every statement a transaction of its own."""

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(with_driver(url))
            self.shown = parsed.database or "" if _is_file(parsed) else str(parsed)
            more = {"timeout": PATIENCE_SECONDS} if _is_file(parsed) else {}
            if parsed.get_driver_name() in _TIMED:
                more = {"connect_timeout": 5}
            self._engine = sa.create_engine(
                parsed, isolation_level="AUTOCOMMIT", pool_pre_ping=True, connect_args=more
            )
        except ValueError as error:
            # What was not a number may have been the password.
            raise BadInput("not the URL of a database", key="--store") from error
        except (SQLAlchemyError, ImportError) as error:
            raise BadInput(f"claims cannot be kept there: {_line(error)}", key="--store") from error
        self.dialect = str(self._engine.dialect.name)
        if self.dialect == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare)
            self._make_folder(Path(self.shown).parent)

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection.

        Raises:
            StoreFault: With one line of what the database said, whatever that was.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreFault(f"claims in {self.shown}: {_line(error)}") from error

    def create(self) -> None:
        """Makes the table unless it is there; others may be doing so at this moment."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self.connected() as connection:
                    CLAIMS.create(connection, checkfirst=True)
            except StoreFault as fault:
                # Another's table may have come in between; and SQLite does not wait while a file
                # is turned into one with a write-ahead log.
                if self._has_table() or ("locked" in str(fault) and time.monotonic() < end):
                    time.sleep(0.01)
                    continue
                raise
            return

    def _has_table(self) -> bool:
        try:
            with self.connected() as connection:
                return bool(sa.inspect(connection).has_table(CLAIMS.name))
        except StoreFault:
            return False

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFault(f"claims in {self.shown}: {error.strerror or error}") from error


def _is_file(url: Any) -> bool:
    return bool(url.get_backend_name() == "sqlite")


def _prepare(connection: Any, _: object) -> None:
    # Claims that the last second before a power cut took are of no use after it.
    for setting in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {setting}").close()


def _line(error: BaseException) -> str:
    """The first line of what the driver said, without the statement and links to a manual."""
    said = str(getattr(error, "orig", None) or error).strip()
    return next(iter(said.splitlines()), type(error).__name__)
