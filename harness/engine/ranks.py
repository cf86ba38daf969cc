"""A trial in several processes, one a device, watched by the one that asked for it.

The processes are ours, not Fabric's: a launcher of its own would run the command again, or hand
closures to other processes. The calls of the trial reach its caller in its own process, over a pipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import torch.multiprocessing

from harness.engine.assignment import Assignment, Finished
from harness.engine.loop import never
from harness.engine.rank import Asked, Assembled, Failed, Seat, Told, Work, sit
from harness.registry import LOSSES, REGISTRIES
from harness.spec import Failure, TrialSpec


class RankFault(RuntimeError):
    """One of a trial's processes failed; `failure` is what it said, or how it died."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True)
class _Rank:
    number: int
    process: BaseProcess
    pipe: Connection


def on_ranks(work: Work, given: Assignment) -> Finished:
    """What `work` returns in the first of the trial's processes; they are gone when this returns.

    Args:
        work: a function of a module, called in every process with the assignment, its Fabric, and a
            function that returns when all processes have called it.
        given: the assignment; its data are put into shared memory.

    Raises:
        RankFault: a process raised or died.
        MachineFault: a process could not go on for a reason that is not the trial's.
    """
    with TemporaryDirectory(prefix="adviserbench-") as folder, _ranks(work, given, folder) as ranks:
        return _listen(ranks, given)


@contextmanager
def _ranks(work: Work, given: Assignment, folder: str) -> Iterator[list[_Rank]]:
    context = torch.multiprocessing.get_context("spawn")
    # Calls of the caller may be closures, and stay here.
    sent = replace(given, on_epoch=_silent, is_hopeless=never)
    ranks: list[_Rank] = []
    try:
        for number in range(given.runtime.devices):
            near, far = context.Pipe()
            seat = Seat(number, Path(folder) / "meeting", far, _modules(given.spec))
            process = context.Process(target=sit, args=(seat, work, sent), name=f"device {number}")
            ranks.append(_Rank(number, process, near))
            process.start()
            # With no other end open here, a death is the end of the pipe.
            far.close()
        yield ranks
    finally:
        for rank in ranks:
            _end(rank)


def _listen(ranks: list[_Rank], given: Assignment) -> Finished:
    going = {rank.pipe: rank for rank in ranks}
    while True:
        for pipe in wait(list(going)):
            rank = going[pipe]  # type: ignore[index] # every one is a pipe
            try:
                said = rank.pipe.recv()
            except (EOFError, ConnectionResetError):
                _check_end(rank)
                del going[rank.pipe]
                continue
            if isinstance(said, Finished):
                return said
            _answer(rank, said, given, ranks)


def _answer(rank: _Rank, said: Any, given: Assignment, ranks: list[_Rank]) -> None:
    match said:
        case Assembled():
            for other in ranks[1:]:
                _send(other, said)
        case Told(epoch, metrics):
            given.on_epoch(epoch, metrics)
        case Asked(epochs):
            _send(rank, given.is_hopeless(epochs))
        case Failed():
            _raise(said, ranks)


def _raise(said: Failed, ranks: list[_Rank]) -> NoReturn:
    if said.fault is not None:
        raise said.fault
    # One that died takes the connection away from the others, who only know that.
    for rank in ranks:
        if rank.process.exitcode:
            _check_end(rank)
    raise RankFault(said.failure)


def _send(rank: _Rank, said: Any) -> None:
    # A process that died meanwhile is found by the end of its pipe.
    with suppress(BrokenPipeError):
        rank.pipe.send(said)


def _check_end(rank: _Rank) -> None:
    rank.process.join()
    code = rank.process.exitcode or 0
    # The first has a result to give, or a reason.
    if code or rank.number == 0:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise RankFault(Failure(message=f"the process of device {rank.number} {how}", traceback=""))


def _end(rank: _Rank) -> None:
    rank.pipe.close()
    if rank.process.pid is not None:
        rank.process.kill()
        rank.process.join()
        rank.process.close()


def _silent(epoch: int, metrics: Mapping[str, float]) -> None:
    """Stands in for a call that stays where it is."""


def _modules(spec: TrialSpec) -> tuple[str, ...]:
    """Where the trial's variants are, for processes that have imported nothing."""
    specs = [spec] if spec.teacher is None else [spec, spec.teacher]
    entries = [REGISTRIES[one.role].get(one.model.name) for one in specs]
    entries += [LOSSES.get(name) for one in specs for name in one.losses]
    return tuple(sorted({entry.builder.__module__ for entry in entries}))
