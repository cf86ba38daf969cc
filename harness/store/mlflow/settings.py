"""MLflow made to do what it is asked for and nothing else."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Variables are the only documented way to say these things.
_VARIABLES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # read while mlflow is imported
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # read when a run ends: stdout is the table's
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # read when files go to or come from a server
}

# By default a dead server is asked for minutes. Whoever waits here can do so better: what is not
# stored stays on disk and is tried again. A user's own settings are left alone.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}

# Schema creation reports itself at INFO; what fails is logged with its traceback before it is raised.
_CHATTY = ("mlflow.store.db.utils", "alembic", "urllib3.connectionpool")


class _Settings:
    """What is set for as long as at least one thread needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._variables: dict[str, str | None] = {}
        self._levels: dict[str, int] = {}

    def enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                own = {name: value for name, value in _PATIENCE.items() if name not in os.environ}
                self._variables = {name: os.environ.get(name) for name in _VARIABLES | own}
                self._levels = {name: logging.getLogger(name).level for name in _CHATTY}
                os.environ.update(_VARIABLES | own)
                for name in _CHATTY:
                    logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            for name, value in self._variables.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            for name, level in self._levels.items():
                logging.getLogger(name).setLevel(level)


_SETTINGS = _Settings()


@contextmanager
def modest() -> Iterator[None]:
    """No telemetry, links on stdout, progress bars, log lines or minutes of retries while it runs.

    Variables and levels are set for that long only, so that child processes rarely inherit them, and
    several threads may be inside at a time.
    """
    _SETTINGS.enter()
    try:
        yield
    finally:
        _SETTINGS.leave()
