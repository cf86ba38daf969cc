"""Which process a claim belongs to, and whether that process is still there."""

from __future__ import annotations

import hashlib
import os
import socket
import time
import uuid
from functools import cache
from pathlib import Path

from harness.store.claims.base import Owner

_PROC = Path("/proc")


def new_owner() -> Owner:
    """This process under a token that was never used."""
    pid = os.getpid()
    started = _started(pid)
    return Owner(
        host=this_host(),
        pid=pid,
        started=time.monotonic() if started is None else started,
        token=uuid.uuid4().hex,
    )


def is_dead(owner: Owner) -> bool:
    """Whether the owner is surely gone: a process of this host that has ended.

    False is said of every other host, and of a process that cannot be looked at. A later process with
    the same pid is told apart by when it started, where the system says so.
    """
    if owner.host != this_host():
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's, hence alive
    started = _started(owner.pid)
    return started is not None and started != owner.started


@cache
def this_host() -> str:
    """The host's name, and eight digits for what its pids are pids of.

    Containers have pids of their own, often under one host name, and pids start anew with each boot;
    so the digits stand for the boot and the pid namespace.
    """
    return f"{socket.gethostname()}#{hashlib.sha256(_pid_space().encode()).hexdigest()[:8]}"


def _pid_space() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return f"{uuid.getnode():x}"


def _started(pid: int) -> float | None:
    """When a process began, in seconds since boot; infinity if it ended and was not waited for."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets, which may hold blanks and brackets itself.
    state, *fields = stat.rpartition(")")[2].split()
    return float("inf") if state in "ZX" else int(fields[18]) / os.sysconf("SC_CLK_TCK")
