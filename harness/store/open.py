"""Which store an output folder and a tracking URI stand for."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from harness.spec import BadInput
from harness.store.base import ResultStore
from harness.store.mlflow_client import WEB_SCHEMES
from harness.store.mlflow_store import DATABASE, MlflowStore


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
        return MlflowStore.local(out)
    remote = urlsplit(uri).scheme in WEB_SCHEMES
    return MlflowStore(uri, None if remote else out / "artifacts")
