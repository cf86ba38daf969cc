"""One of the processes of a trial on several devices."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread

import torch
from lightning_fabric import Fabric

from harness.engine.assignment import Assignment, Finished
from harness.engine.devices import one_of
from harness.engine.environment import find_device
from harness.engine.faults import MachineFault, failure, machine_fault
from harness.spec import EpochRecord, Failure

Work = Callable[[Assignment, Fabric, Callable[[], None]], Finished | None]
"""What every process of a trial does; only the first has something to return."""


@dataclass(frozen=True)
class Seat:
    """A process's place among the others.

    Attributes:
        meeting: a file that is not there yet, over which they find each other; a port might be taken.
        pipe: to the process that asked for the trial.
        modules: to import, so that the trial's variants are registered.
    """

    rank: int
    meeting: Path
    pipe: Connection
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Assembled:
    """The first has filled the feature cache for all; the others wait for a word before they begin."""


@dataclass(frozen=True)
class Told:
    """An epoch ended."""

    epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Asked:
    """Whether to go on after these epochs; the answer is a bool."""

    epochs: tuple[EpochRecord, ...]


@dataclass(frozen=True)
class Failed:
    """The process raised; `fault` says that the machine is to blame."""

    failure: Failure
    fault: MachineFault | None


def sit(seat: Seat, work: Work, given: Assignment) -> None:
    """Does the work and sends what comes of it: what is finished, or why nothing is."""
    # An interrupt of the terminal is for the process that watches this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_die_with_parent, daemon=True).start()
    try:
        done = _work(seat, work, given)
    except Exception as error:  # noqa: BLE001 - whatever a variant raises is that trial's result
        seat.pipe.send(Failed(failure(error), machine_fault(error)))
        # To leave now would make the others fail too, and they would say less of why.
        wait([seat.pipe])
    else:
        if done is not None:
            seat.pipe.send(done)
            wait([seat.pipe])


def _work(seat: Seat, work: Work, given: Assignment) -> Finished | None:
    for module in seat.modules:
        import_module(module)
    _set_threads(given)
    runtime = given.runtime
    fabric = one_of(find_device(runtime.accelerator), given.spec.precision, seat.rank, runtime.devices)

    def meet() -> None:
        if not seat.rank:
            seat.pipe.send(Assembled())
        torch.distributed.init_process_group(
            "nccl" if fabric.device.type == "cuda" else "gloo",
            init_method=seat.meeting.as_uri(),
            rank=seat.rank,
            world_size=runtime.devices,
        )
        fabric.launch()
        # Fabric has an idea of its own of how many threads a process should have.
        _set_threads(given)

    if seat.rank:
        seat.pipe.recv()
        return work(given, fabric, meet)
    return work(replace(given, on_epoch=_tells(seat.pipe), is_hopeless=_asks(seat.pipe)), fabric, meet)


def _set_threads(given: Assignment) -> None:
    if given.runtime.threads is not None:
        torch.set_num_threads(given.runtime.threads)


def _tells(pipe: Connection) -> Callable[[int, Mapping[str, float]], None]:
    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
        pipe.send(Told(epoch, dict(metrics)))

    return on_epoch


def _asks(pipe: Connection) -> Callable[[tuple[EpochRecord, ...]], bool]:
    def is_hopeless(epochs: tuple[EpochRecord, ...]) -> bool:
        pipe.send(Asked(epochs))
        return bool(pipe.recv())

    return is_hopeless


def _die_with_parent() -> None:
    """Ends this process when the one that watches it is gone, however that ended."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
