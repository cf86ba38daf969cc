"""Measuring processes: fresh interpreters, one after the other."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from harness.engine.bench.order import Alone, Order, Together
from harness.study.bench.measure import COMMAND
from harness.study.launch.machine import thread_variables


class MeasurementFault(RuntimeError):
    """A measuring process ended without an answer; one line that says which and why."""


@dataclass(frozen=True)
class Processes:
    """Who is asked.

    Attributes:
        work: folder for orders and answers.
        threads: of each process.
        plugins: modules that register variants.
    """

    work: Path
    threads: int
    plugins: tuple[str, ...]

    def alone(self, order: Order) -> Alone:
        """What a process finds of the order's first row.

        Raises:
            MeasurementFault: it died, or failed.
        """
        found: Alone = self._answer(order, is_alone=True)
        return found

    def together(self, order: Order) -> Together:
        """What a process finds of all rows.

        Raises:
            MeasurementFault: it died, or failed.
        """
        found: Together = self._answer(order, is_alone=False)
        return found

    def _answer(self, order: Order, *, is_alone: bool) -> Any:
        asked, answered = self.work / "order", self.work / "answer"
        answered.unlink(missing_ok=True)
        asked.write_bytes(pickle.dumps((self.plugins, is_alone, pickle.dumps(order))))
        given = [str(asked), str(answered), str(os.getpid()), str(perf_counter_ns())]
        done = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", COMMAND, *given, *sys.path],
            env=os.environ | thread_variables(self.threads),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not answered.is_file():
            raise MeasurementFault(cause(done))
        return pickle.loads(answered.read_bytes())  # noqa: S301 - our child's


def cause(done: subprocess.CompletedProcess[str]) -> str:
    """Why a process has no answer: the signal that killed it, or its last words."""
    if done.returncode < 0:
        return f"its process was killed by signal {-done.returncode}; memory may have run out"
    last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
    return f"its process failed: {last[0].strip() if last else f'exit code {done.returncode}'}"
