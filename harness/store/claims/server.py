"""Claims on an MLflow tracking server, which can write and read but not both at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Self

from harness.store.claims.base import LIFETIME_SECONDS, Claim, Owner
from harness.store.claims.intents import Intent, Intents
from harness.store.claims.owner import is_dead, new_owner

CLOCK_MARGIN_SECONDS = 120.0
"""How long after its time an intent of another machine still stands, whose clock may be behind."""

PATIENCE_SECONDS = 10.0
"""How long an owner waits for others to withdraw before it withdraws itself; a busy server is slow."""

_POLL_SECONDS = 0.03


class ServerClaims:
    """`Claims` by announced intents, one run each.

    To take a name an owner (1) writes an intent, (2) after that was acknowledged reads all intents of
    the name, and (3) has it only if that reading shows its own intent and no other live one. Else it
    removes its intent, at once or, if its run id is the smallest, after having read again for a while.

    Two owners A and B never both have a name. Each wrote before the reading that it won by; say that A
    wrote first. Then B's reading came after A's writing, and must have shown A's intent, unless that
    had been removed: by A, who then does not have the name (any more); or by a third who took A for
    dead, in which case A, if it still tries, does not find its own intent and gives up, and if it had
    won already, learns of its loss from its next beat. The server has to show every reader what it has
    acknowledged, as one that stands on a single database does. Run ids only decide who waits, so that
    of several that come at once one stays; a name may be left to nobody when one of them hangs longer
    than the others wait, never to two.

    An intent stands until the time that its owner last wrote, by the owner's clock, and
    `CLOCK_MARGIN_SECONDS` more: clocks may differ by that much. Intents of dead processes of this
    machine do not stand. Removed intents are deleted runs, which `mlflow gc` clears away for good.
    """

    def __init__(
        self,
        intents: Intents,
        owner: Owner | None = None,
        lifetime_seconds: float = LIFETIME_SECONDS,
        margin_seconds: float = CLOCK_MARGIN_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.owner = owner or new_owner()
        self._intents = intents
        self._lifetime, self._margin, self._patience = lifetime_seconds, margin_seconds, patience_seconds
        self._held: dict[str, str] = {}
        self._lock = threading.Lock()
        # Two threads of one owner would be rivals.
        self._taking = threading.Lock()

    @classmethod
    def connect(cls, uri: str) -> Self:
        """The claims behind a tracking URI."""
        return cls(Intents.connect(uri))

    def take(self, name: str) -> bool:
        """Whether the name is now this owner's."""
        with self._taking:
            standing = self._standing(name, self._held.get(name))
            if standing:
                # Whoever they are, one of them has the name or is about to.
                return self._held.get(name) in {intent.run_id for intent in standing}
            run_id = self._intents.write(name, self.owner, self._lifetime)
            if self._is_alone(name, run_id) and self._intents.mark(run_id, "held"):
                with self._lock:
                    self._held[name] = run_id
                return True
            self._intents.remove(run_id)
            return False

    def begin(self, name: str) -> None:
        """Notes that a worker has begun on a name that is his."""
        run_id = self._held.get(name)
        if run_id is not None:
            self._intents.mark(run_id, "running")

    def beat(self) -> frozenset[str]:
        """Extends all claims of this owner; gives the names that were meanwhile taken from him."""
        with self._lock:
            believed = dict(self._held)
        gone = {
            name: run_id
            for name, run_id in believed.items()
            if not self._intents.extend(run_id, self._lifetime)
        }
        with self._lock:
            # What was released while the server was asked is not lost.
            lost = frozenset(name for name, run_id in gone.items() if self._held.get(name) == run_id)
            for name in lost:
                del self._held[name]
        return lost

    def release(self, name: str) -> None:
        """Gives the name up if it is his; if that fails it expires."""
        with self._lock:
            run_id = self._held.pop(name, None)
        if run_id is not None:
            self._intents.remove(run_id)

    def live(self, names: Iterable[str] | None = None) -> dict[str, Claim]:
        """The live claims by name; an intent that has not won is none."""
        asked = None if names is None else set(names)
        only = next(iter(asked)) if asked is not None and len(asked) == 1 else None
        return {
            intent.claim.name: intent.claim
            for intent in self._intents.find(only)
            if (asked is None or intent.claim.name in asked)
            and intent.state != "wanted"
            and self._is_live(intent)
        }

    def remove_dead(self) -> int:
        """Takes away intents that do not stand; gives how many there were."""
        dead = [intent for intent in self._intents.find() if not self._is_live(intent)]
        for intent in dead:
            self._intents.remove(intent.run_id)
        return len(dead)

    def _is_alone(self, name: str, run_id: str) -> bool:
        end = time.monotonic() + self._patience
        while True:
            standing = self._standing(name, run_id)
            if run_id not in {intent.run_id for intent in standing}:
                return False
            if len(standing) == 1:
                return True
            is_late = any(intent.state != "wanted" for intent in standing)
            if is_late or standing[0].run_id != run_id or time.monotonic() > end:
                return False
            time.sleep(_POLL_SECONDS)

    def _standing(self, name: str, mine: str | None) -> list[Intent]:
        """The live intents of a name and `mine`, by run id; all others are removed here."""
        standing = []
        for intent in self._intents.find(name):
            # An intent of ours that is not `mine` was written by a request whose answer was lost.
            is_stray = intent.claim.owner == self.owner and intent.run_id != mine
            if intent.run_id == mine or (self._is_live(intent) and not is_stray):
                standing.append(intent)
            else:
                self._intents.remove(intent.run_id)
        return standing

    def _is_live(self, intent: Intent) -> bool:
        stands = intent.claim.expires + self._margin > time.time()
        return stands and not is_dead(intent.claim.owner)
