"""Trials in worker processes on this machine."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from harness.spec import BadInput, ProcessesLaunch, Runtime
from harness.study.launch.attempt import is_done
from harness.study.launch.base import Ended, Event, Lost, Order, Report, Stuck
from harness.study.launch.lifeline import Guard
from harness.study.launch.machine import cores_here, deal, gpus_here
from harness.study.launch.process import WorkerProcess

if TYPE_CHECKING:
    from harness.study.launch.attempt import Work

LOOK_SECONDS = 0.2
"""How often workers are looked at that say nothing: what they started may hold their line open."""

STOP_SECONDS = 10.0


class ProcessLauncher:
    """Worker processes that begin with the first orders, and are kept for the next ones.

    Each is an interpreter of its own, started from nothing: a script that runs a study needs no guard
    for its main part. One that dies takes its order with it, and the next order a new one.
    """

    def __init__(self, launch: ProcessesLaunch, runtime: Runtime, work: Work) -> None:
        if os.name != "posix":
            raise BadInput("worker processes need Linux or macOS; serial runs here", key="launch.name")
        self._shares = deal(launch.workers, runtime, cores_here(), gpus_here(runtime))
        self._work = work
        self._guard: Guard | None = None
        self._workers: dict[int, WorkerProcess] = {}
        self._stuck: list[Stuck] = []

    @property
    def width(self) -> int:
        """How many orders may be under way."""
        return len(self._shares)

    def start(self, order: Order) -> None:
        """Hands the order to an idle worker, or to a new one."""
        number = self._seat()
        try:
            if number not in self._workers:
                self._workers[number] = self._hire(number, order)
            self._workers[number].take(order, self._work)
        except OSError as fault:
            # The log file cannot be written, or the system has no process to spare.
            self._stuck.append(Stuck(order.trial_id, f"worker-{number + 1}", str(fault)))

    def wait(self, seconds: float, report: Report) -> None:
        """Reports what the workers say, and those that died."""
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, end - time.monotonic())
            happened = False
            for event in self._news(min(left, LOOK_SECONDS)):
                happened = True
                report(event)
            if happened or not left:
                return

    def stop(self) -> None:
        """Kills all workers and whatever they started."""
        for worker in self._workers.values():
            worker.kill()
        end = time.monotonic() + STOP_SECONDS
        for worker in self._workers.values():
            worker.close(max(0.1, end - time.monotonic()))
        self._workers.clear()
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    def _seat(self) -> int:
        for number in [n for n, worker in self._workers.items() if worker.order is None]:
            if self._workers[number].is_alive():
                return number
            self._dismiss(number)
        return next(number for number in range(self.width) if number not in self._workers)

    def _hire(self, number: int, order: Order) -> WorkerProcess:
        self._guard = self._guard or Guard()
        log = order.work.parent / f"worker-{number + 1}.log"
        worker = WorkerProcess(f"worker-{number + 1}", self._shares[number], log)
        self._guard.watch(worker.pid)
        return worker

    def _news(self, seconds: float) -> Iterator[Event]:
        while self._stuck:
            seconds = 0.0
            yield self._stuck.pop()
        ready = wait([worker.connection for worker in self._workers.values()], seconds)
        for number, worker in list(self._workers.items()):
            if worker.connection in ready:
                yield from worker.heard()
            if not worker.is_alive():
                # What it said last may have come after the look above.
                yield from worker.heard()
                yield from self._bury(number)

    def _bury(self, number: int) -> Iterator[Event]:
        worker = self._workers[number]
        order, reason = worker.order, worker.cause_of_death()
        self._dismiss(number)
        if order is None:
            return
        if is_done(order):
            shutil.rmtree(order.work, ignore_errors=True)
            yield Ended(order.trial_id, worker.name)
        else:
            yield Lost(order.trial_id, worker.name, reason)

    def _dismiss(self, number: int) -> None:
        worker = self._workers.pop(number)
        worker.kill()
        worker.close(STOP_SECONDS)
        if self._guard is not None:
            self._guard.forget(worker.pid)
