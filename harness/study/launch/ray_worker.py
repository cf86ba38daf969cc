"""What runs on the nodes of a Ray cluster: workers, and the box that their news are collected in."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from harness.registry import discover
from harness.spec import VariantRef
from harness.store import Outbox
from harness.study.launch.attempt import attempt
from harness.study.launch.base import Ended, Event, Order, Stuck

if TYPE_CHECKING:
    from harness.study.launch.attempt import Work
    from harness.types import Dataset


@dataclass(frozen=True)
class Parcel:
    """An order for a node, with what it needs of the runner's machine in the object store.

    Attributes:
        data: reference to the data set.
        advice: references to the content of the order's advice files.
        mark: a file beside the runner's work folders that only this launcher makes. A node that sees
            it shares the runner's disk.
    """

    order: Order
    data: Any
    advice: tuple[Any, ...]
    mark: Path


@dataclass(frozen=True)
class Delivery:
    """How an order ended on a node: `Ended` or `Stuck`, and the packed outbox entry.

    There is none when the trial was committed to the runner's own outbox.
    """

    end: Event
    entry: bytes | None = None


class Mailbox:
    """Keeps what workers tell until the runner asks."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def tell(self, event: Event) -> None:
        """Keeps an event."""
        self._events.append(event)

    def take(self) -> list[Event]:
        """The events since the last time, in the order in which they came."""
        events, self._events = self._events, []
        return events


class TrialWorker:
    """One worker: a process on a node, with one order at a time and the data sets of earlier ones."""

    def __init__(self, name: str, work: Work, mailbox: Any, folder: str) -> None:
        """`folder` names one for temporary files, which the runner's workers on a node share."""
        self._name, self._work, self._mailbox = name, work, mailbox
        self._loaded: dict[Any, Dataset] = {}
        self._advice: dict[Any, Path] = {}
        self._folder = Path(tempfile.gettempdir()) / folder

    def run(self, parcel: Parcel) -> Delivery:
        """Does the order."""
        discover(parcel.order.plugins)
        order = self._here(parcel)
        told: list[Any] = []
        ends: list[Event] = []

        def report(event: Event) -> None:
            if isinstance(event, Ended | Stuck):
                ends.append(event)
            else:
                told.append(self._mailbox.tell.remote(event))

        def data(_: VariantRef) -> Dataset:
            if parcel.data not in self._loaded:
                self._loaded[parcel.data] = ray.get(parcel.data)
            return self._loaded[parcel.data]

        attempt(order, self._name, self._work, data, report)
        # Epochs are for looking at: a mailbox that is gone takes no result with it.
        with contextlib.suppress(RayError):
            ray.get(told)
        return Delivery(ends[0], self._packed(order, parcel) if isinstance(ends[0], Ended) else None)

    def leave(self) -> None:
        """Removes what the runner's workers kept on this node."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _here(self, parcel: Parcel) -> Order:
        """The order as this node can do it: in the runner's folders if it sees them, else in its own."""
        order = replace(parcel.order, advice=tuple(map(self._file, parcel.advice)))
        if parcel.mark.exists():
            return order
        return replace(
            order,
            work=self._folder / "work" / order.trial_id,
            cache=self._folder / "cache",
            outbox=self._folder / "outbox",
        )

    def _file(self, content: Any) -> Path | None:
        if content is None:
            return None
        if content not in self._advice:
            path = self._folder / f"advice-{os.getpid()}-{len(self._advice)}.safetensors"
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(ray.get(content))
            self._advice[content] = path
        return self._advice[content]

    def _packed(self, order: Order, parcel: Parcel) -> bytes | None:
        if order.outbox == parcel.order.outbox:
            return None
        outbox = Outbox(order.outbox)
        entry = outbox.pack(order.trial_id)
        outbox.remove(order.trial_id)
        return entry
