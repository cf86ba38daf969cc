"""Which store an output folder and a tracking URI stand for."""

from __future__ import annotations

import os
from pathlib import Path

from harness.spec import BadInput
from harness.store.base import ResultStore
from harness.store.mlflow.client import WEB
from harness.store.mlflow.store import DATABASE, MlflowStore


def open_store(out: Path, uri: str | None = None, *, create: bool = True) -> ResultStore:
    """The store in the folder `out`, or behind the tracking URI if one is given.

    Files go to ``out/artifacts`` unless the URI is that of a tracking server, which keeps its own.

    Args:
        out: The folder of results.
        uri: An MLflow tracking URI.
        create: Whether a folder without results becomes an empty store; reading asks for False.

    Raises:
        BadInput: With key ``--out`` or ``--store``, whichever cannot be used.
    """
    if uri is None:
        if not create and not (out / DATABASE).is_file():
            raise BadInput(f"no results here: {DATABASE} is missing", file=out, key="--out")
        if create and out.is_dir() and not os.access(out, os.W_OK):
            raise BadInput("cannot be written: no permission", file=out, key="--out")
        return MlflowStore.local(out)
    return MlflowStore(uri, None if uri.startswith(WEB) else out / "artifacts")
