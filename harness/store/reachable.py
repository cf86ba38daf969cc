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
    parts = urlsplit(uri)
    default = _DEFAULT_PORTS.get(parts.scheme.partition("+")[0])
    if default is None or parts.hostname is None:
        return
    try:
        socket.create_connection((parts.hostname, parts.port or default), timeout_seconds).close()
    except OSError as error:
        # The URI itself is not repeated: it may carry a password.
        where = f"{parts.hostname}:{parts.port or default}"
        raise BadInput(f"no database answers at {where}: {error}", key="--store") from error
