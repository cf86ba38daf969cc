"""One worker process, seen from the runner."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from harness.study.launch.base import Ended, Event, Order, Stuck
from harness.study.launch.lifeline import kill_group
from harness.study.launch.machine import Share
from harness.study.launch.worker import COMMAND, Errand

if TYPE_CHECKING:
    from harness.study.launch.attempt import Work

_DYING_SECONDS = 5.0


class WorkerProcess:
    """An interpreter in a process group of its own, a line to it, and the order that it has.

    Its output is appended to a log file.
    """

    def __init__(self, name: str, share: Share, log: Path) -> None:
        """Starts it.

        Raises:
            OSError: the log cannot be written, or there is no process to be had.
        """
        self.name, self._share, self._log = name, share, log
        self.order: Order | None = None
        self._said, self._has_hung_up = 0, False
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._process = self._start(theirs.fileno())
            self.connection: Connection[Errand, Event] = Connection(ours.detach())

    @property
    def pid(self) -> int:
        """Its number, and that of its process group."""
        return self._process.pid

    def take(self, order: Order, work: Work) -> None:
        """Hands it an order; a worker that is dead by now is found to be so by `is_alive`."""
        self.order = replace(
            order, runtime=order.runtime.model_copy(update={"threads": self._share.threads})
        )
        self._said = self._log.stat().st_size if self._log.exists() else 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send_bytes(pickle.dumps(Errand(self.name, work, self.order)))

    def heard(self) -> Iterator[Event]:
        """What it has said since."""
        try:
            while self.connection.poll():
                event = self.connection.recv()
                if isinstance(event, Ended | Stuck):
                    self.order = None
                yield event
        except (EOFError, ConnectionResetError):
            self._has_hung_up = True

    def is_alive(self) -> bool:
        """Whether it runs; one that has hung up is given time to be gone by itself."""
        if self._has_hung_up:
            try:
                self._process.wait(_DYING_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                self._process.wait()
        return self._process.poll() is None

    def cause_of_death(self) -> str:
        """How it died, and the last thing it wrote about this order."""
        code = self._process.wait()
        how = f"exited with code {code}" if code >= 0 else f"was killed by {_signal_name(-code)}"
        last = self._last_line()
        return f"{self.name} {how}; {last}" if last else f"{self.name} {how}"

    def kill(self) -> None:
        """Kills it and what it started."""
        kill_group(self.pid)

    def close(self, seconds: float) -> None:
        """Waits until it is gone."""
        self.connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _start(self, line: int) -> subprocess.Popen[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", COMMAND, str(line), str(os.getpid()), *sys.path]
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - this interpreter
                command,
                env=os.environ | self._share.variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[line],
                process_group=0,
            )

    def _last_line(self) -> str:
        try:
            with self._log.open("rb") as log:
                log.seek(self._said)
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        said = [line.strip() for line in lines if line.strip()]
        # After a fatal error the interpreter lists every module with C code in it.
        fatal = [line for line in said if line.startswith("Fatal Python error")]
        return next(iter(fatal or said[-1:]), "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
