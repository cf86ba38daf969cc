"""Trials on a Ray cluster: one that is there, or one on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayActorError, RayError, RuntimeEnvSetupError

from harness.spec import RayLaunch, Runtime
from harness.store import Outbox
from harness.study.launch.attempt import is_done
from harness.study.launch.base import Began, Ended, Event, Lost, Order, Report, Stuck
from harness.study.launch.ray_code import plugin_modules, shipped
from harness.study.launch.ray_connection import Cluster, cause
from harness.study.launch.ray_parcels import Packer
from harness.study.launch.ray_worker import Delivery, Mailbox, TrialWorker

if TYPE_CHECKING:
    from harness.study.launch.attempt import Data, Work

LOOK_SECONDS = 0.2
"""How often the mailbox is opened."""

LEAVE_SECONDS = 3.0
_MAIL_SECONDS = 5.0


@dataclass
class _Worker:
    """An actor, and what it does."""

    name: str
    actor: Any
    order: Order | None = None
    is_fresh: bool = True
    has_begun: bool = False


class RayLauncher:
    """Workers that are actors, each with the cores and GPUs of one trial, kept for the next orders.

    Code, data and teachers' outputs travel with the orders, and results come back, so nodes need the
    libraries and no files. On a node that sees the runner's folder (a shared disk, or the same machine)
    a trial works there, and is finished once it is committed there. Elsewhere it works in the node's
    folder for temporary files: its checkpoint is lost with the node, and it is finished when the
    runner has its result. Ray itself repeats nothing: the runner counts what was lost.
    """

    def __init__(self, launch: RayLaunch, runtime: Runtime, data: Data, work: Work | None) -> None:
        self._launch, self._work = launch, work or _trial()
        threads, plugins = runtime.threads or max(1, int(launch.cpus)), plugin_modules()
        self._cluster = Cluster(launch, threads, (*plugins, *([work.__module__] if work else [])))
        self._packer = Packer(data, threads, plugins)
        self._mailbox = self._cluster.beside_runner(Mailbox)
        self._workers: dict[int, _Worker] = {}
        self._runs: dict[Any, int] = {}
        self._stuck: list[Stuck] = []

    @property
    def width(self) -> int:
        """How many orders may be under way: what was asked for, or what the cluster now holds."""
        return self._launch.workers or self._cluster.places()

    def start(self, order: Order) -> None:
        """Hands the order to an idle worker, or to a new one, which begins when there is room for it."""
        idle = [number for number, worker in self._workers.items() if worker.order is None]
        free = (number for number in range(len(self._workers) + 1) if number not in self._workers)
        number = idle[0] if idle else next(free)
        try:
            self._send(number, order)
        except (OSError, RayError) as fault:
            self._stuck.append(Stuck(order.trial_id, f"ray-{number + 1}", cause(fault)))

    def wait(self, seconds: float, report: Report) -> None:
        """Reports what the workers say, and those that are gone."""
        self._make_room()
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
        """Ends all workers, and the cluster if it was started here."""
        for number in [number for number, worker in self._workers.items() if worker.order]:
            self._dismiss(number)
        left = [worker.actor.leave.remote() for worker in self._workers.values()]
        if left:
            ray.wait(left, num_returns=len(left), timeout=LEAVE_SECONDS)
        for number in list(self._workers):
            self._dismiss(number)
        self._runs.clear()
        self._packer.close()
        self._cluster.close()

    def _make_room(self) -> None:
        """Lets idle workers go where others cannot begin: a lost node leaves too few places."""
        idle = [number for number, worker in self._workers.items() if worker.order is None]
        pending = [worker for worker in self._workers.values() if worker.order and not worker.has_begun]
        if idle and pending and len(self._workers) > self._cluster.places():
            for number in idle[: len(pending)]:
                self._dismiss(number)

    def _send(self, number: int, order: Order) -> None:
        parcel = self._packer.pack(order)
        if number not in self._workers:
            name = f"ray-{number + 1}"
            folder = f"adviserbench-{self._packer.token}"
            actor = self._cluster.worker(TrialWorker, name, self._work, self._mailbox, folder)
            self._workers[number] = _Worker(name, actor)
        worker = self._workers[number]
        worker.order, worker.has_begun = order, False
        self._runs[worker.actor.run.remote(parcel)] = number

    def _news(self, seconds: float) -> Iterator[Event]:
        if self._stuck:
            yield self._stuck.pop()
            return
        runs = list(self._runs)
        if not runs:
            time.sleep(seconds)
            return
        ended, _ = ray.wait(runs, num_returns=1, timeout=seconds)
        # Opened after a look at who is ready: what a trial told before its end is in it.
        yield from self._mail()
        for run in ended:
            yield from self._end(run)

    def _mail(self) -> Iterator[Event]:
        try:
            events: list[Event] = ray.get(self._mailbox.take.remote(), timeout=_MAIL_SECONDS)
        except RayError:
            # It is on its way to another process, without what it held: epochs, to be looked at only.
            return
        under_way = {
            (worker.name, worker.order.trial_id): worker
            for worker in self._workers.values()
            if worker.order
        }
        for event in events:
            worker = under_way.get((event.worker, event.trial_id))
            if worker is not None:
                worker.has_begun |= isinstance(event, Began)
                yield event

    def _end(self, run: Any) -> Iterator[Event]:
        number = self._runs.pop(run)
        worker = self._workers[number]
        order = worker.order
        if order is None:
            return
        try:
            delivery: Delivery = ray.get(run)
        except RayError as fault:
            self._dismiss(number)
            yield from self._lost(number, worker, order, fault)
            return
        worker.order, worker.is_fresh = None, False
        yield self._received(delivery, order)

    def _received(self, delivery: Delivery, order: Order) -> Event:
        try:
            if delivery.entry is not None:
                Outbox(order.outbox).unpack(delivery.entry)
        except OSError as fault:
            return Stuck(order.trial_id, delivery.end.worker, cause(fault))
        return delivery.end

    def _lost(self, number: int, worker: _Worker, order: Order, fault: RayError) -> Iterator[Event]:
        if is_done(order):
            yield Ended(order.trial_id, worker.name)
        elif isinstance(fault, RuntimeEnvSetupError):
            yield Stuck(order.trial_id, worker.name, cause(fault))
        elif isinstance(fault, RayActorError) and not worker.is_fresh and not worker.has_begun:
            # It was gone before it was asked: no death of this trial.
            self.start(order)
        else:
            yield Lost(order.trial_id, worker.name, f"{worker.name}: {cause(fault)}")

    def _dismiss(self, number: int) -> None:
        ray.kill(self._workers.pop(number).actor)


def _trial() -> Work:
    from harness.study.launch.work import work

    return partial(work, shipped=shipped())
