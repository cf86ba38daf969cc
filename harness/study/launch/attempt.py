"""An order from the moment a worker takes it up to the one event that it ends in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.spec import BadInput, VariantRef
from harness.store.outbox import Outbox, UnreadableEntry
from harness.study.launch.base import Began, Ended, Epoch, Order, Report, Stuck

if TYPE_CHECKING:
    from harness.types import Dataset

    Data = Callable[[VariantRef], Dataset]
    """Gives a data set."""

    OnEpoch = Callable[[int, Mapping[str, float]], None]

    Work = Callable[[Order, Data, OnEpoch], None]
    """Does an order and commits what comes of it to the order's outbox."""


def attempt(order: Order, worker: str, work: Work, data: Data, report: Report) -> None:
    """Does an order and reports what happens, in the process that does it.

    What a variant raises is in the trial's record; what comes out of `work` is a fault of the machine
    or of its data.
    """

    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
        report(Epoch(order.trial_id, worker, epoch, dict(metrics)))

    report(Began(order.trial_id, worker))
    try:
        work(order, data, on_epoch)
    except (OSError, BadInput) as fault:
        report(Stuck(order.trial_id, worker, _one_line(fault, order)))
    else:
        report(Ended(order.trial_id, worker))


def _one_line(fault: Exception, order: Order) -> str:
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.filename or order.work.parent}: {fault.strerror}"
    return " ".join(str(fault).split())


def is_done(order: Order) -> bool:
    """Whether the outbox has the order's trial, and there is nothing more to try."""
    try:
        result = Outbox(order.outbox).result(order.trial_id)
    except UnreadableEntry:
        return False
    return result is not None and result.state != "failed"
