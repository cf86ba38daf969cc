"""A launcher that trains nothing, for seeing what a runner does with what workers leave."""

from __future__ import annotations

from collections.abc import Callable

from store_records import ended

from harness.store import Outbox
from harness.study.launch.base import Began, Ended, Epoch, Event, Lost, Order, Report


class StubLauncher:
    """Ends one order a `wait`, complete unless `fate` has another event for it."""

    def __init__(
        self, width: int = 2, fate: Callable[[Order], Event | None] = lambda order: None
    ) -> None:
        self.width, self._fate = width, fate
        self._orders: list[Order] = []
        self.started: list[str] = []
        self.most = 0

    def start(self, order: Order) -> None:
        self._orders.append(order)
        self.started.append(order.trial_id)
        self.most = max(self.most, len(self._orders))

    def wait(self, seconds: float, report: Report) -> None:
        order = self._orders.pop(0)
        report(Began(order.trial_id, "stub"))
        event = self._fate(order)
        if event is None:
            result, predictions = ended(order)
            for epoch in result.epochs:
                report(Epoch(order.trial_id, "stub", epoch.epoch, epoch.metrics))
            Outbox(order.outbox).commit(order.study, result, predictions, {})
            event = Ended(order.trial_id, "stub")
        report(event)

    def stop(self) -> None:
        self._orders.clear()


def lost(order: Order) -> Lost:
    return Lost(order.trial_id, "stub", "killed by SIGKILL")
