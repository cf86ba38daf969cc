"""Claims on one place, as several owners see them, and processes that take some."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from harness.store.claims import Claims, Owner
from harness.store.claims.owner import new_owner

Open = Callable[..., Claims]
"""From an owner and a lifetime in seconds to the claims; as one more owner if none is given."""

ROOT = Path(__file__).parents[2]


def of_a_dead_process() -> Owner:
    """The owner that a process of this machine was which has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    owner = new_owner().model_copy(update={"pid": ended.pid})
    ended.wait()
    return owner


def of_another_host() -> Owner:
    """An owner whose process cannot be looked at from here."""
    return new_owner().model_copy(update={"host": "elsewhere#00000000"})


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process with these lines and arguments, which can import the project."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def race(opened: Callable[[], Claims], processes: int, names: int) -> Counter[str]:
    """How often each name was won by processes that open the claims and take at the same moment."""
    fork = multiprocessing.get_context("fork")
    line, finish, took = fork.Barrier(processes), fork.Event(), fork.Queue()

    def run() -> None:
        line.wait(30)
        won: list[str] = []
        try:
            claims = opened()
            won += [name for name in map(str, range(names)) if claims.take(name)]
        finally:
            took.put(won)
        # The claims of a process that has ended would be anyone's.
        finish.wait(120)

    racing = [fork.Process(target=run, daemon=True) for _ in range(processes)]
    for process in racing:
        process.start()
    try:
        won = [took.get(timeout=120) for _ in racing]
    finally:
        finish.set()
        for process in racing:
            process.join(30)
    assert [process.exitcode for process in racing] == [0] * processes
    return Counter(name for taken in won for name in taken)


def once_each(names: int) -> dict[str, int]:
    """What a race for so many names has to come to."""
    return {str(name): 1 for name in range(names)}
