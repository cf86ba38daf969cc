"""Claims on one place, as several owners see them, and processes that take some."""

from __future__ import annotations

import os
import subprocess
import sys
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
