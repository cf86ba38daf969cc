"""What keeps a runner's claims alive while it works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from harness.store.base import StoreFault
from harness.store.claims.base import BEAT_SECONDS, Claims

Lost = Callable[[frozenset[str]], None]


class Heart:
    """A thread that beats from construction until `stop`.

    `lost` is called from that thread, and must not raise, with the names that were taken from the owner
    while it could not beat: another runner works on them now.
    """

    def __init__(self, claims: Claims, lost: Lost, seconds: float = BEAT_SECONDS) -> None:
        self.fault: str | None = None
        """Why the last beat failed, in one line; None when it did not."""
        self._claims, self._lost, self._seconds = claims, lost, seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after the beat that is under way; further calls do nothing."""
        self._stopped.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _beat(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                names = self._claims.beat()
            except StoreFault as fault:
                self.fault = str(fault)
                continue
            self.fault = None
            if names:
                self._lost(names)
