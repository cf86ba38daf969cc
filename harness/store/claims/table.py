"""The table that claims are rows of, in any database that SQLAlchemy speaks to."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from harness.spec import BadInput
from harness.store.claims.base import Claim, Owner

CLAIMS = sa.Table(
    "adviserbench_claims",
    sa.MetaData(),
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("started", sa.Double, nullable=False),
    sa.Column("token", sa.String(64), nullable=False, index=True),
    sa.Column("taken", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    sa.Column("is_running", sa.Boolean, nullable=False),
)

# Seconds since the epoch by the database's own clock, on which machines with wrong ones agree.
_CLOCKS = {
    "postgresql": "extract(epoch from clock_timestamp())",
    "mysql": "unix_timestamp(sysdate(6))",
    "mariadb": "unix_timestamp(sysdate(6))",
    "mssql": "datediff_big(microsecond, '1970-01-01', sysutcdatetime()) / 1e6",
}


def clock(dialect: str) -> Any:
    """The present as an expression: the server's, or this machine's where the database is a file.

    Raises:
        BadInput: It is not known how that database says the time.
    """
    if dialect == "sqlite":
        return sa.literal(time.time(), sa.Double)
    if dialect not in _CLOCKS:
        raise BadInput(
            f"claims are kept in {', '.join(['sqlite', *_CLOCKS])}, given {dialect}", key="--store"
        )
    return sa.cast(sa.literal_column(_CLOCKS[dialect]), sa.Double)


def claim_of(row: Any, owners: dict[str, Owner]) -> Claim:
    """The row as a claim; `owners` remembers those that were met, by token."""
    owner = owners.get(row.token)
    if owner is None:
        owner = owners[row.token] = Owner(
            host=row.host, pid=row.pid, started=row.started, token=row.token
        )
    return Claim(
        name=row.name,
        owner=owner,
        taken=row.taken,
        expires=row.expires,
        is_running=row.is_running,
    )
