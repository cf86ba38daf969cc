"""What a place that keeps claims must offer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from harness.spec import Frozen

LIFETIME_SECONDS = 60.0
"""How long a claim stands without a beat before anyone may take it over."""

BEAT_SECONDS = 10.0
"""How often a runner says that it is alive."""


class Owner(Frozen):
    """One runner, as others see it. Two runners never share a token, nor do two runs of one."""

    host: str
    """Where `pid` is a pid: the host's name, and what tells its boots and containers apart."""

    pid: int
    started: float
    """When the process began, in seconds since its host did: a later one may have the same pid.

    Not since the epoch: a clock that is set right would make another process of it.
    """

    token: str


class Claim(Frozen):
    """That an owner works on a name: a trial id, or another thing only one runner may do at a time."""

    name: str
    owner: Owner
    taken: float
    """Seconds since the epoch."""

    expires: float
    """Seconds since the epoch; later with every beat."""

    is_running: bool = False
    """Whether a worker has begun, rather than the runner only having set the name aside."""


class Claims(Protocol):
    """Claims by name. Every method raises `StoreFault` while the place cannot be reached.

    A claim is live until it expires, is released, or its owner is found to be a dead process of this
    machine. Of any number of owners that take a name at the same moment exactly one gets it. All
    methods may be called from any thread.
    """

    owner: Owner
    """In whose name this object takes and releases."""

    def take(self, name: str) -> bool:
        """Whether the name is now this owner's: it was free, expired, of the dead, or already his."""

    def begin(self, name: str) -> None:
        """Notes that a worker has begun on a name that is his."""

    def beat(self) -> frozenset[str]:
        """Extends all claims of this owner; gives the names that were meanwhile taken from him."""

    def release(self, name: str) -> None:
        """Gives the name up if it is his."""

    def live(self, names: Iterable[str] | None = None) -> dict[str, Claim]:
        """The live claims by name, all or those of `names`."""

    def remove_dead(self) -> int:
        """Takes away claims that are not live; gives how many there were."""
