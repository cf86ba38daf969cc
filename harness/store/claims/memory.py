"""Claims that last as long as the process: one runner, or several in one process, in tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from harness.store.claims.base import LIFETIME_SECONDS, Claim, Owner
from harness.store.claims.owner import is_dead, new_owner


@dataclass
class MemoryClaims:
    """`Claims` in this process; the object and its peers share `kept`."""

    owner: Owner = field(default_factory=new_owner)
    kept: dict[str, Claim] = field(default_factory=dict)
    lifetime_seconds: float = LIFETIME_SECONDS
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    held: set[str] = field(default_factory=set)
    """What this owner believes to be his."""

    def peer(self, owner: Owner | None = None) -> MemoryClaims:
        """The same claims, as another owner sees them."""
        return replace(self, owner=owner or new_owner(), held=set())

    def take(self, name: str) -> bool:
        """Whether the name is now this owner's."""
        with self.lock:
            standing = self.kept.get(name)
            if standing is None or not _is_live(standing):
                now = time.time()
                standing = Claim(
                    name=name, owner=self.owner, taken=now, expires=now + self.lifetime_seconds
                )
                self.kept[name] = standing
            if standing.owner == self.owner:
                self.held.add(name)
            return standing.owner == self.owner

    def begin(self, name: str) -> None:
        """Notes that a worker has begun on the name."""
        with self.lock:
            if name in self._mine():
                self.kept[name] = self.kept[name].model_copy(update={"is_running": True})

    def beat(self) -> frozenset[str]:
        """Extends all claims of this owner; gives the names that were taken from him."""
        with self.lock:
            mine = self._mine()
            for name in mine:
                expires = time.time() + self.lifetime_seconds
                self.kept[name] = self.kept[name].model_copy(update={"expires": expires})
            lost = frozenset(self.held - mine)
            self.held -= lost
            return lost

    def release(self, name: str) -> None:
        """Gives the name up if it is his."""
        with self.lock:
            if name in self._mine():
                del self.kept[name]
            self.held.discard(name)

    def live(self, names: Iterable[str] | None = None) -> dict[str, Claim]:
        """The live claims by name."""
        with self.lock:
            asked = set(self.kept) if names is None else set(names) & self.kept.keys()
            return {name: self.kept[name] for name in asked if _is_live(self.kept[name])}

    def remove_dead(self) -> int:
        """Takes away claims that are not live."""
        with self.lock:
            dead = self.kept.keys() - self.live().keys()
            for name in dead:
                del self.kept[name]
            return len(dead)

    def _mine(self) -> set[str]:
        return {name for name, claim in self.kept.items() if claim.owner == self.owner}


def _is_live(claim: Claim) -> bool:
    return claim.expires > time.time() and not is_dead(claim.owner)
