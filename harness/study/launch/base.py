"""What a launcher is handed, what it tells, and what it must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.spec import EpochRecord, Runtime, TrialSpec


class Pruning(ABC):
    """When a search gives a trial up, by the results of earlier rounds; goes to the worker by pickle."""

    @abstractmethod
    def is_hopeless(self, epochs: tuple[EpochRecord, ...]) -> bool:
        """Whether the trial is to be given up after these epochs of it, from the first on."""


@dataclass(frozen=True)
class Order:
    """A trial as it travels to a worker.

    Attributes:
        advice: files with its teachers' outputs, in the order of the spec's `advisers`.
        work: folder of its own for the resumable checkpoint; the worker removes it when done.
        cache: folder of frozen features, shared by all trials.
        outbox: folder that the finished trial is committed to; see `harness.store.outbox`.
        plugins: modules to import before the variants are looked up.
        neighbours: how many other trials may run on the same machine.
    """

    study: str
    spec: TrialSpec
    trial_id: str
    group_id: str
    fingerprint: str
    runtime: Runtime
    advice: tuple[Path | None, ...]
    work: Path
    cache: Path
    outbox: Path
    plugins: tuple[str, ...] = ()
    pruning: Pruning | None = None
    neighbours: int = 0


@dataclass(frozen=True)
class Began:
    """A worker has taken the trial up."""

    trial_id: str
    worker: str


@dataclass(frozen=True)
class Epoch:
    """An epoch of the trial ended."""

    trial_id: str
    worker: str
    epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Ended:
    """The trial is committed to the outbox: complete, failed or pruned."""

    trial_id: str
    worker: str


@dataclass(frozen=True)
class Lost:
    """The trial's worker died, or its machine did; the trial left nothing but perhaps a checkpoint."""

    trial_id: str
    worker: str
    reason: str


@dataclass(frozen=True)
class Stuck:
    """The worker could not do its work for a reason that is not the trial's, such as a full disk."""

    trial_id: str
    worker: str
    reason: str


Event = Began | Epoch | Ended | Lost | Stuck
Report = Callable[[Event], None]


class Launcher(Protocol):
    """Runs orders, up to `width` at a time. Used by one thread.

    Every order ends in exactly one of `Ended`, `Lost` and `Stuck`. A launcher that is killed takes
    its workers with it.
    """

    @property
    def width(self) -> int:
        """How many orders may be under way."""

    def start(self, order: Order) -> None:
        """Begins an order; called while fewer than `width` are under way."""

    def wait(self, seconds: float, report: Report) -> None:
        """Reports what happens, and returns once something did or the time is over."""

    def stop(self) -> None:
        """Ends all workers, whatever they are doing, and waits until they are gone."""
