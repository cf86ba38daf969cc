"""Timing several models in turns, so that whatever slows the machine slows all of them.

A round is one group of clips for everybody, of which each has the same time, in one turn or spread over
several: in a turn it is called on that group as often as fits. The order of turns is drawn anew each
round. A machine that others use drifts within seconds, which a single turn would take for the model.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np

from harness.spec import StageName

Laps = Sequence[tuple[StageName, int]]
"""Stages in the order they were done, and the clock (ns) at the end of each; a stage may come again."""

Call = Callable[[int], tuple[int, int, Laps]]
"""Calls on a group of clips: the clock (ns) at the start and at the end, and laps, if there are any."""

_Found = tuple[int, float, dict[StageName, float]]
"""Calls, milliseconds a call, and those of its stages."""

LEAST_SAMPLE_NS = 1_000_000
"""A sample below it would say much about the clock: shorter calls are put together."""

NOOP_CALLS = 2000


@dataclass(frozen=True)
class Sample:
    """The mean of some calls, in milliseconds a call."""

    round: int
    row: str
    group: int
    calls: int
    total_ms: float
    stages: Mapping[StageName, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rounds:
    """How much everybody is called.

    Attributes:
        count: of rounds.
        seconds: least time of a row in one round.
        turns: how many the time of a row in a round is spread over; a row that has had it all before has
            fewer.
    """

    count: int
    seconds: float
    turns: int = 1


def clocked(forward: Callable[[int], object], wait: Callable[[], None]) -> Call:
    """A call without laps; `wait` returns when the device has done what it was told."""

    def call(group: int) -> tuple[int, int, Laps]:
        wait()
        start = perf_counter_ns()
        forward(group)
        wait()
        return start, perf_counter_ns(), ()

    return call


def in_rounds(
    calls: Mapping[str, Call],
    groups: Sequence[int],
    rounds: Rounds,
    draw: np.random.Generator,
) -> Iterator[Sample]:
    """The samples of all rounds.

    A row whose quickest call so far fits in a turn is called once ahead of it, unmeasured, because
    another model has had the processor's caches.

    Args:
        calls: by row.
        groups: what round after round is about; from the start again when they are through.
        rounds: how many, and how long.
        draw: the order of turns in each round.
    """
    names = list(calls)
    quickest_ms = dict.fromkeys(names, math.inf)
    for number in range(rounds.count):
        group = groups[number % len(groups)]
        left = dict.fromkeys(names, rounds.seconds)
        for name in (names[place % len(names)] for place in draw.permutation(len(names) * rounds.turns)):
            if left[name] <= 0:
                continue
            begun = perf_counter_ns()
            with no_garbage_collection():
                found, quickest_ms[name] = _turn(
                    calls[name], group, rounds.seconds / rounds.turns, quickest_ms[name]
                )
            left[name] -= (perf_counter_ns() - begun) / 1e9
            for count, total_ms, stages in found:
                yield Sample(number, name, group, count, total_ms, stages)


def warm_up(
    call: Call, groups: int, is_warm: Callable[[Sequence[float], float], bool]
) -> tuple[float, ...]:
    """The times (ms) of calls on one group after the other, until `is_warm` of them.

    Args:
        call: what is warmed up.
        groups: how many there are.
        is_warm: is asked with the times so far and the seconds since the first call.
    """
    times: list[float] = []
    begun = perf_counter_ns()
    while not times or not is_warm(times, (perf_counter_ns() - begun) / 1e9):
        start, end, _ = call(len(times) % groups)
        times.append((end - start) / 1e6)
    return tuple(times)


def timer_overhead_us(calls: int = NOOP_CALLS) -> float:
    """What a sample of one call says of a call that does nothing: the median, in microseconds."""
    noop = clocked(lambda _: None, lambda: None)
    with no_garbage_collection():
        # From before one call to after it, so that the loop's own bookkeeping is in it too.
        spent = []
        for _ in range(calls):
            before = perf_counter_ns()
            _sample(noop, 0, 1)
            spent.append(perf_counter_ns() - before)
    return median(spent) / 1e3


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keeps the collector from pausing what is inside."""
    # Not collected first: that takes up to half a second in a process full of modules, and a pause
    # cannot fall into a sample while the collector is off.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _turn(call: Call, group: int, seconds: float, quickest_ms: float) -> tuple[list[_Found], float]:
    """What was found in a turn, and the quickest call so far (ms)."""
    first = _sample(call, group, 1)
    quickest_ms = min(quickest_ms, first[1])
    if quickest_ms > 1e3 * seconds:
        return [first], quickest_ms
    count = max(1, round(LEAST_SAMPLE_NS / 1e6 / quickest_ms)) if quickest_ms else 1
    found: list[_Found] = []
    begun = perf_counter_ns()
    while not found or perf_counter_ns() - begun < 1e9 * seconds:
        found.append(_sample(call, group, count))
    return found, min(quickest_ms, *(ms for _, ms, _ in found))


def _sample(call: Call, group: int, count: int) -> _Found:
    total = 0
    stages: dict[Any, int] = {}
    for _ in range(count):
        start, end, laps = call(group)
        total += end - start
        for stage, stopped in laps:
            stages[stage] = stages.get(stage, 0) + stopped - start
            start = stopped
    per_call = 1e6 * count
    return count, total / per_call, {stage: spent / per_call for stage, spent in stages.items()}
