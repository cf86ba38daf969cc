"""MLflow made to do what it is asked for and nothing else."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

# Variables are the only documented way to say these three things.
_VARIABLES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # read while mlflow is imported
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # read when a run ends: stdout is the table's
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # read when files go to or come from a server
}

# Schema creation reports itself at INFO; a failing statement logs its traceback before it raises.
_CHATTY = ("mlflow.store.db.utils", "alembic")


@contextmanager
def modest() -> Iterator[None]:
    """No telemetry, links on stdout or progress bars while the block runs.

    The variables are set for that long only, so that no child process inherits them.
    """
    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update(_VARIABLES)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def quiet() -> Iterator[None]:
    """No log lines about the database while the block runs; what goes wrong is raised anyway."""
    loggers = [logging.getLogger(name) for name in _CHATTY]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
