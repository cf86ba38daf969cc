"""Claims in a database: a SQLite file, or whatever server the results are in."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from harness.store.claims.base import LIFETIME_SECONDS, Claim, Owner
from harness.store.claims.connection import Database
from harness.store.claims.key import key_of
from harness.store.claims.owner import is_dead, new_owner
from harness.store.claims.table import CLAIMS, claim_of, clock

_TRIES = 20
"""How often a name is tried for that others take and give up at this very moment."""

_FEW = 500
"""More names than this are picked out here rather than in the statement."""


class SqlClaims:
    """`Claims` as rows of one table, made on first use.

    A name is taken by a single statement that the database executes or refuses as a whole: the insert
    of a row whose key is not there, or the update of one on condition that it still has the owner it
    was seen with. The time is the server's; with SQLite it is this machine's, which must not be set
    back while claims stand.
    """

    def __init__(
        self, url: str, owner: Owner | None = None, lifetime_seconds: float = LIFETIME_SECONDS
    ) -> None:
        self.owner = owner or new_owner()
        self._lifetime = lifetime_seconds
        self._database = Database(url)
        self._now()
        self._database.create()
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def take(self, name: str) -> bool:
        """Whether the name is now this owner's."""
        with self._database.connected() as connection:
            tries = (self._try(connection, name) for _ in range(_TRIES))
            took = next((took for took in tries if took is not None), False)
        if took:
            with self._lock:
                self._held.add(name)
        return took

    def begin(self, name: str) -> None:
        """Notes that a worker has begun on a name that is his."""
        with self._database.connected() as connection:
            connection.execute(
                sa.update(CLAIMS).where(_named(name), self._mine()).values(is_running=True)
            )

    def beat(self) -> frozenset[str]:
        """Extends all claims of this owner; gives the names that were meanwhile taken from him."""
        with self._lock:
            believed = set(self._held)
        with self._database.connected() as connection:
            connection.execute(sa.update(CLAIMS).where(self._mine()).values(expires=self._expiry()))
            mine = set(connection.scalars(sa.select(CLAIMS.c.name).where(self._mine())))
        with self._lock:
            # What was released while the database was asked is not lost.
            lost = frozenset((believed - mine) & self._held)
            self._held -= lost
        return lost

    def release(self, name: str) -> None:
        """Gives the name up if it is his."""
        with self._database.connected() as connection:
            with self._lock:
                self._held.discard(name)
            connection.execute(sa.delete(CLAIMS).where(_named(name), self._mine()))

    def live(self, names: Iterable[str] | None = None) -> dict[str, Claim]:
        """The live claims by name, all or those of `names`."""
        asked = None if names is None else set(names)
        question = sa.select(CLAIMS).where(CLAIMS.c.expires > self._now())
        if asked is not None and len(asked) <= _FEW:
            question = question.where(CLAIMS.c.key.in_([key_of(name) for name in asked]))
        with self._database.connected() as connection:
            rows = connection.execute(question).all()
        owners: dict[str, Owner] = {}
        claims = [claim_of(row, owners) for row in rows if asked is None or row.name in asked]
        dead = {owner.token for owner in owners.values() if is_dead(owner)}
        return {claim.name: claim for claim in claims if claim.owner.token not in dead}

    def remove_dead(self) -> int:
        """Takes away claims that are not live; gives how many there were."""
        with self._database.connected() as connection:
            rows = connection.execute(_OWNERS).all()
            dead = [row.token for row in rows if is_dead(Owner.model_validate(row._asdict()))]
            gone = sa.or_(CLAIMS.c.expires <= self._now(), CLAIMS.c.token.in_(dead))
            return int(connection.execute(sa.delete(CLAIMS).where(gone)).rowcount)

    def _try(self, connection: Any, name: str) -> bool | None:
        """Whether the name was taken; None when another was faster and the row has to be read again."""
        question = sa.select(CLAIMS, (CLAIMS.c.expires > self._now()).label("stands"))
        row = connection.execute(question.where(_named(name))).one_or_none()
        if row is None:
            return self._insert(connection, name)
        if row.stands and row.token == self.owner.token:
            return True
        # The dead do not beat any more: of their claims the time does not matter.
        dead = is_dead(claim_of(row, {}).owner)
        if row.stands and not dead:
            return False
        unchanged = [_named(name), CLAIMS.c.token == row.token]
        if not dead:
            unchanged.append(CLAIMS.c.expires <= self._now())
        took = connection.execute(sa.update(CLAIMS).where(*unchanged).values(self._row(name)))
        return True if took.rowcount == 1 else None

    def _insert(self, connection: Any, name: str) -> bool | None:
        try:
            connection.execute(sa.insert(CLAIMS).values(self._row(name)))
        except IntegrityError:
            return None
        return True

    def _row(self, name: str) -> dict[str, Any]:
        return {
            **self.owner.model_dump(),
            "key": key_of(name),
            "name": name,
            "taken": self._now(),
            "expires": self._expiry(),
            "is_running": False,
        }

    def _mine(self) -> Any:
        return CLAIMS.c.token == self.owner.token

    def _now(self) -> Any:
        return clock(self._database.dialect)

    def _expiry(self) -> Any:
        return self._now() + self._lifetime


_OWNERS = sa.select(CLAIMS.c.host, CLAIMS.c.pid, CLAIMS.c.started, CLAIMS.c.token).distinct()


def _named(name: str) -> Any:
    return CLAIMS.c.key == key_of(name)
