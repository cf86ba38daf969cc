"""Which claims belong to an output folder and a tracking URI."""

from __future__ import annotations

from pathlib import Path

from harness.spec import BadInput
from harness.store.base import StoreFault
from harness.store.claims.base import Claims

FILE = "claims.db"

_SQLITE = "sqlite:///"
_WEB = ("http://", "https://")
_RESULTS = "adviserbench.db"


def open_claims(out: Path, uri: str | None = None) -> Claims:
    """The claims on the trials of the store that `open_store` opens for the same arguments.

    Whoever has the same store has the same claims: those of a SQLite file lie in a file beside it, so
    that a beat never waits for results to be written; another database has them in a table of its own;
    a tracking server in an experiment of its own.

    Runners on several machines need one of the latter two: a SQLite file is shared by the processes of
    one machine, since its write-ahead log does not work over a network file system.

    Raises:
        StoreFault: The place does not answer or cannot be written.
        BadInput: With key ``--store``: no claims can be kept there.
    """
    if uri is not None and uri.startswith(_WEB):
        from harness.store.claims.server import ServerClaims

        return ServerClaims.connect(uri)
    from harness.store.claims.sql import SqlClaims

    if uri is None:
        return SqlClaims(f"{_SQLITE}{out.resolve() / FILE}")
    if uri.startswith(_SQLITE):
        return SqlClaims(f"{_SQLITE}{_beside(Path(uri.removeprefix(_SQLITE)).resolve())}")
    from harness.store.reachable import check_reachable

    try:
        check_reachable(uri)
    except BadInput as error:
        raise StoreFault(error.message) from error
    return SqlClaims(uri)


def _beside(results: Path) -> Path:
    return results.with_name(FILE if results.name == _RESULTS else f"{results.stem}-{FILE}")
