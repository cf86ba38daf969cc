"""What goes wrong between here and where the results lie, in one line."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from harness.store.base import StoreFault
from harness.store.reachable import without_password

P = ParamSpec("P")
T = TypeVar("T")

SQLITE = "sqlite:///"

LOCKED_SECONDS = 300.0
"""How long a database that others write to is asked again; SQLite itself waits 20 s each time."""


class RunGone(StoreFault):
    """The run was deleted while the trial ran; a new one can be begun."""


class Guard:
    """Calls what talks to a tracking URI; gives its faults a form, and a locked database time."""

    def __init__(self, uri: str) -> None:
        self._place = without_password(uri).removeprefix(SQLITE)
        self._database = Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None

    def call(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """What `work` gives for these arguments. It may run several times, so it has to bear that.

        Raises:
            StoreFault: MLflow, the database, the network or the disk failed.
        """
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        end = time.monotonic() + LOCKED_SECONDS
        while True:
            self._check_there()
            try:
                return work(*args, **more)
            except StoreFault:
                raise
            except (MlflowException, SQLAlchemyError, OSError) as error:
                why = reason(error)
                if "database is locked" not in why or time.monotonic() > end:
                    kind = RunGone if _is_gone(error) else StoreFault
                    raise kind(f"{self._place}: {why}") from error
            # Others are waiting too, and should not all come back at the same moment.
            time.sleep(random.uniform(0.05, 0.2))  # noqa: S311

    def _check_there(self) -> None:
        # SQLite goes on writing to a file that was deleted under it, and all of that would be lost.
        if self._database is not None and not self._database.is_file():
            raise StoreFault(f"{self._place}: the database is gone")


def _is_gone(error: BaseException) -> bool:
    code = getattr(error, "error_code", None)
    return code == "RESOURCE_DOES_NOT_EXIST" or "must be in the 'active' state" in str(error)


def reason(error: BaseException) -> str:
    """The first line of what was at the bottom of the error, without passwords."""
    inner = error
    while True:
        below = inner.__cause__ or (None if inner.__suppress_context__ else inner.__context__)
        if below is None or not str(below).strip():
            break
        inner = below
    text = str(inner)
    if isinstance(inner, OSError) and inner.strerror:
        text = f"{inner.strerror}: {inner.filename}" if inner.filename else inner.strerror
    line = next(iter(text.strip().splitlines()), type(inner).__name__)
    return re.sub(r"//[^/@\s]+@", "//***@", line)
