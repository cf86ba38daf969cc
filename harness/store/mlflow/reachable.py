"""Whether a database server answers, asked once and briefly."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from harness.spec import BadInput

_DEFAULT_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mssql": 1433}


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
