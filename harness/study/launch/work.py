"""What every worker does with an order: the trial, and what it leaves into the outbox."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.engine.assignment import Assignment, never
from harness.engine.trial import run_trial
from harness.spec import TrialResult
from harness.store import Outbox
from harness.study.launch.attempt import is_done
from harness.study.launch.base import Order

if TYPE_CHECKING:
    from harness.study.launch.attempt import Data, OnEpoch


@dataclass(frozen=True)
class Shipped:
    """Which code was sent to a machine that has no checkout of it and perhaps no package."""

    revision: str
    version: str

    def mark(self, result: TrialResult) -> TrialResult:
        """The record with this code as the one that made it."""
        made = result.environment
        environment = made.model_copy(
            update={
                "code_revision": self.revision,
                "versions": {**made.versions, "adviserbench": self.version},
            }
        )
        return result.model_copy(update={"environment": environment})


def work(order: Order, data: Data, on_epoch: OnEpoch, shipped: Shipped | None = None) -> None:
    """Runs the trial, commits it to the outbox and removes its work folder.

    A trial that is in the outbox already is not run: whoever committed it died before he could say so.
    A failure there is tried again.

    Raises:
        OSError: the disk takes nothing, now or as a whole; the trial's checkpoint stays.
        BadInput: the data or the device are not what they were when the study was planned.
    """
    if not is_done(order):
        done = run_trial(_assignment(order, data, on_epoch))
        result = shipped.mark(done.result) if shipped else done.result
        Outbox(order.outbox).commit(order.study, result, done.predictions, done.files)
    shutil.rmtree(order.work, ignore_errors=True)


def _assignment(order: Order, data: Data, on_epoch: OnEpoch) -> Assignment:
    return Assignment(
        spec=order.spec,
        trial_id=order.trial_id,
        group_id=order.group_id,
        fingerprint=order.fingerprint,
        data=data(order.spec.data),
        advice=order.advice,
        work=order.work,
        cache=order.cache,
        runtime=order.runtime,
        on_epoch=on_epoch,
        neighbours=order.neighbours,
        is_hopeless=order.pruning.is_hopeless if order.pruning else never,
    )
