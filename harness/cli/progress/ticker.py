"""Calls something at intervals, while nothing else happens."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ticker:
    """A thread that calls `tick` every so many seconds, until `stop`."""

    def __init__(self, seconds: float, tick: Callable[[], None]) -> None:
        self._seconds, self._tick = seconds, tick
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Begins; the first call comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """No call comes after this."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._tick()
