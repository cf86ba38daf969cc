"""Trials one after the other, in this process."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from harness.study.launch.attempt import attempt
from harness.study.launch.base import Event, Order, Report

if TYPE_CHECKING:
    from harness.study.launch.attempt import Data, Work

WORKER = "worker-1"


class SerialLauncher:
    """Runs an order while it is waited for."""

    width = 1

    def __init__(self, data: Data, work: Work) -> None:
        self._data, self._work = data, work
        self._orders: deque[Order] = deque()

    def start(self, order: Order) -> None:
        """Keeps the order for the next `wait`."""
        self._orders.append(order)

    def wait(self, seconds: float, report: Report) -> None:
        """Runs an order from its beginning to its end, however long that takes."""
        if not self._orders:
            time.sleep(seconds)
            return
        try:
            attempt(self._orders.popleft(), WORKER, self._work, self._data, _outside_of_trials(report))
        except _ReportFailed as failed:
            raise failed.fault from None

    def stop(self) -> None:
        """Drops orders that were not begun."""
        self._orders.clear()


class _ReportFailed(BaseException):
    """The one who is told of an epoch failed. No `Exception`: a trial would take it for its own."""

    def __init__(self, fault: Exception) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _outside_of_trials(report: Report) -> Report:
    def told(event: Event) -> None:
        try:
            report(event)
        except Exception as fault:
            raise _ReportFailed(fault) from fault

    return told
