"""The program of a worker process."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from harness.study.launch.attempt import attempt
from harness.study.launch.base import Event, Order
from harness.study.launch.lifeline import die_with, kill_group
from harness.study.launch.local_data import LocalData

if TYPE_CHECKING:
    from harness.study.launch.attempt import Work

COMMAND = (
    "import sys; channel, parent = map(int, sys.argv[1:3]); sys.path[:] = sys.argv[3:]; "
    "from harness.study.launch.worker import main; main(channel, parent)"
)
"""What the interpreter is given: the parent's `sys.path` is the child's; its script is not run again."""


@dataclass(frozen=True)
class Errand:
    """An order for one worker, with the function that does it (imported where it is unpickled)."""

    worker: str
    work: Work
    order: Order


def main(channel: int, parent: int) -> None:
    """Does what comes through the channel until it is closed."""
    # Ctrl-C is the runner's, who then stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    die_with(parent)
    os.set_inheritable(channel, False)
    with Connection(channel) as connection:
        _serve(connection)


def _serve(connection: Connection[Event, Errand]) -> None:
    loaded = LocalData()
    while True:
        try:
            # Taken off the channel before the trainer is imported, so that the runner need not wait.
            packed = connection.recv_bytes()
        except EOFError:
            return
        errand: Errand = pickle.loads(packed)  # noqa: S301 - from the parent
        data = partial(loaded.load, errand.order)
        attempt(errand.order, errand.worker, errand.work, data, partial(_tell, connection))


def _tell(connection: Connection[Event, Errand], event: Event) -> None:
    try:
        connection.send(event)
    except OSError:
        # The runner is gone, and in a moment so are we. Raised, the trial would take it for a failure of
        # its own and commit that.
        kill_group(os.getpgrp())
