"""Claims that last as long as the process: one runner, or several in one process, in tests."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.store.claims.base import LIFETIME_SECONDS, Claim, Owner


def new_owner() -> Owner:
    """This process under a token that was never used."""
    return Owner(host=socket.gethostname(), pid=os.getpid(), started=time.time(), token=uuid.uuid4().hex)


@dataclass
class MemoryClaims:
    """`Claims` in this process; several share the same `kept`."""

    owner: Owner = field(default_factory=new_owner)
    kept: dict[str, Claim] = field(default_factory=dict)
    lifetime_seconds: float = LIFETIME_SECONDS

    def __post_init__(self) -> None:
        self._lock = threading.RLock()

    def take(self, name: str) -> bool:
        """Whether the name is now this owner's."""
        with self._lock:
            held = self.live([name]).get(name)
            if held is None:
                now = time.time()
                self.kept[name] = Claim(
                    name=name, owner=self.owner, taken=now, expires=now + self.lifetime_seconds
                )
            return held is None or held.owner == self.owner

    def begin(self, name: str) -> None:
        """Notes that a worker has begun on the name."""
        self._change(name, is_running=True)

    def beat(self) -> frozenset[str]:
        """Extends all claims of this owner; none is ever lost here."""
        with self._lock:
            for name, claim in list(self.kept.items()):
                if claim.owner == self.owner:
                    self._change(name, expires=time.time() + self.lifetime_seconds)
        return frozenset()

    def release(self, name: str) -> None:
        """Gives the name up if it is his."""
        with self._lock:
            if name in self.kept and self.kept[name].owner == self.owner:
                del self.kept[name]

    def live(self, names: Iterable[str] | None = None) -> dict[str, Claim]:
        """The live claims by name."""
        with self._lock:
            asked = set(self.kept) if names is None else set(names) & self.kept.keys()
            return {name: self.kept[name] for name in asked if self.kept[name].expires > time.time()}

    def remove_dead(self) -> int:
        """Takes away claims that are not live."""
        with self._lock:
            dead = self.kept.keys() - self.live().keys()
            for name in dead:
                del self.kept[name]
            return len(dead)

    def _change(self, name: str, **changes: object) -> None:
        with self._lock:
            claim = self.kept.get(name)
            if claim is not None and claim.owner == self.owner:
                self.kept[name] = claim.model_copy(update=changes)
