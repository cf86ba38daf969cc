"""A bench and its calibration loop, timed in turn: whatever slows one of them slows the other."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import process_time
from typing import Any

from threadpoolctl import threadpool_limits

SECONDS = 0.25
"""Of work that a window lasts, about."""

LEAST, MOST = 4, 1000
"""Rounds of a window."""


@contextmanager
def alone() -> Iterator[None]:
    """Nothing of this process runs beside a bench: a thread of each library, no garbage collection."""
    gc.collect()
    gc.disable()
    try:
        with threadpool_limits(1):
            yield
    finally:
        gc.enable()


def seconds_of(function: Callable[[], Any]) -> float:
    """Processor time of one call, of all threads: other processes do not count, nor does waiting."""
    start = process_time()
    function()
    return process_time() - start


@dataclass
class SideBySide:
    """Rounds of calibration loops and one call of a bench; what counts is the fastest of each.

    The loops of a round are timed in one go and last about as long as the call. A shorter stretch would
    find moments that are less disturbed, and the bench of a busy machine would look slower.

    Attributes:
        function: the bench.
        loop: the calibration loop of its kind.
        rounds: how many a window has; long benches have few.
        repeats: loops a round.
        loop_seconds: the fastest loop of the window, a mean over the loops of a round.
    """

    function: Callable[[], Any]
    loop: Callable[[], None]
    rounds: int = field(init=False)
    repeats: int = field(init=False)
    loop_seconds: float = field(init=False, default=float("inf"))

    def __post_init__(self) -> None:
        call, loop = (min(seconds_of(each) for _ in range(3)) for each in (self.function, self.loop))
        self.repeats = max(1, round(call / loop))
        self.rounds = min(MOST, max(LEAST, round(SECONDS / (call + self.repeats * loop))))

    def calibrate(self) -> None:
        """The loops of one round, after one that is not timed: the call before has filled the caches."""
        self.loop()
        self.loop_seconds = min(self.loop_seconds, seconds_of(self._loops) / self.repeats)

    def ratio(self, call_seconds: float) -> float:
        """The fastest call of a window in loops of that window; the next window starts anew."""
        found = call_seconds / self.loop_seconds
        self.loop_seconds = float("inf")
        return found

    def window(self) -> float:
        """The ratio of another window."""
        fastest = float("inf")
        for _ in range(self.rounds):
            self.calibrate()
            fastest = min(fastest, seconds_of(self.function))
        return self.ratio(fastest)

    def _loops(self) -> None:
        for _ in range(self.repeats):
            self.loop()
