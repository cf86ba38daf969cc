"""Ties the life of worker processes, and of what they start, to that of the runner."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

from harness.study.launch import guard

_PR_SET_PDEATHSIG = 1
_WATCH_SECONDS = 0.5


def die_with(parent: int) -> None:
    """Has this process killed when its parent dies, whatever it is doing then.

    On Linux the kernel sees to it when the parent's thread ends that started this process, so a
    launcher is used by one thread for as long as it lives. Elsewhere a thread looks now and then.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        Thread(target=_watch, args=(parent,), daemon=True).start()
    # It may have died before it was asked for.
    if os.getppid() != parent:
        os._exit(1)


def kill_group(group: int) -> None:
    """Kills all processes of a group; fine if there are none."""
    # macOS refuses where only a zombie is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class Guard:
    """A process that kills the groups it watches when this one dies; see `guard`."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._process = self._start()

    def watch(self, group: int) -> None:
        """Has the group killed when this process dies."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """Leaves the group alone from now on."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Kills the groups that are left, and ends."""
        # It may be dead, with a line for it still in the buffer.
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - this interpreter and our own file
            [sys.executable, "-I", "-S", str(Path(guard.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    def _tell(self, line: str) -> None:
        try:
            self._write(line)
        except BrokenPipeError:
            # Somebody killed it. One thread writes, so nobody comes in between.
            self.close()
            self._process = self._start()
            self._write("".join(f"+{group}\n" for group in self._groups))

    def _write(self, lines: str) -> None:
        stdin = self._process.stdin
        if stdin is not None:
            stdin.write(lines.encode())
            stdin.flush()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    kill_group(os.getpgrp())
