"""Where a study runs and keeps things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.store import ResultStore, open_store
from harness.store.claims import Claims, open_claims
from harness.store.mlflow.store import DATABASE


def open_place(out: Path, uri: str | None) -> Place:
    """The place of an output folder and, if there is one, a tracking URI; nothing is opened yet."""
    return Place(
        out=out,
        store=partial(open_store, out, uri),
        claims=partial(open_claims, out, uri),
        exists=uri is not None or (out / DATABASE).is_file(),
    )


@dataclass(frozen=True)
class Place:
    """The folder of results, and what is opened for it.

    Attributes:
        store: opens the result store; called after the input has been checked, because opening
            may create it.
        claims: opens the claims beside it, likewise.
        exists: whether there is a store to ask for finished trials before any data is read.
    """

    out: Path
    store: Callable[[], ResultStore]
    claims: Callable[[], Claims]
    exists: bool

    @property
    def work(self) -> Path:
        """Folder of resumable checkpoints."""
        return self.out / "work"

    @property
    def cache(self) -> Path:
        """Folder of features that frozen parts of models gave; kept between studies."""
        return self.out / "cache"

    @property
    def outbox(self) -> Path:
        """Folder of finished trials that are on their way to the store."""
        return self.out / "outbox"

    @property
    def journal(self) -> Path:
        """Optuna's journal of all searches."""
        return self.out / "optuna.journal"
