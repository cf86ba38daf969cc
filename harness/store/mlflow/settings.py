"""MLflow made to do what it is asked for and nothing else."""

from __future__ import annotations

import logging
import os
import threading

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


_LOCK = threading.Lock()


def settle() -> None:
    """No telemetry, links on stdout, progress bars, log lines or minutes of retries in this process.

    Variables are written once, by whoever opens the first store, and never taken back: the courier
    works beside the training, and a variable that changes while some library's C code reads another
    one is a crash of the whole process.
    """
    with _LOCK:
        for name, value in (_VARIABLES | _PATIENCE).items():
            if name not in os.environ:
                os.environ[name] = value
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
