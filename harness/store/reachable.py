"""Which driver speaks to a database server, and whether it answers, asked once and briefly."""

from __future__ import annotations

import socket
from importlib.util import find_spec
from urllib.parse import urlsplit

from harness.spec import BadInput

_DEFAULT_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mssql": 1433}


def with_driver(uri: str) -> str:
    """The URI with the PostgreSQL driver that is installed, where it names none: there are two."""
    plain = "postgresql://"
    if uri.startswith(plain) and find_spec("psycopg") is None and find_spec("psycopg2") is not None:
        return f"postgresql+psycopg2://{uri.removeprefix(plain)}"
    return uri


def check_reachable(uri: str, timeout_seconds: float = 5.0) -> None:
    """Raises BadInput when the URI names a database server and nothing listens there.

    MLflow tries a dead database for minutes. A URI of another kind is left to MLflow to judge.
    """
    try:
        parts = urlsplit(uri)
        default = _DEFAULT_PORTS.get(parts.scheme.partition("+")[0])
        if default is None or parts.hostname is None:
            return
        socket.create_connection((parts.hostname, parts.port or default), timeout_seconds).close()
    except (OSError, ValueError) as error:
        raise BadInput(
            f"no database answers at {without_password(uri)}: {error}", key="--store"
        ) from error


def without_password(uri: str) -> str:
    """The URI as it may be shown."""
    head, at, tail = uri.rpartition("@")
    scheme, slashes, _ = head.partition("://")
    return f"{scheme}{slashes}***{at}{tail}" if at else uri
