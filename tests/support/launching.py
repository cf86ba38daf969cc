"""Orders, and work that a test chooses by the study's name; no torch, so that workers start at once."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import harness
from harness.spec import (
    BadInput,
    Environment,
    LossTerm,
    ProcessesLaunch,
    Runtime,
    TrialResult,
    TrialSpec,
    VariantRef,
)
from harness.store import Outbox
from harness.study.launch.base import Ended, Event, Launcher, Lost, Order, Stuck
from harness.study.launch.processes import ProcessLauncher

SPEC = TrialSpec(
    role="student",
    data=VariantRef(name="toy"),
    model=VariantRef(name="text_encoder"),
    losses={"task_l1": LossTerm()},
)
HERE = Environment(
    code_revision="none",
    python="3",
    versions={},
    platform="",
    cpu="",
    cores=1,
    threads=1,
    accelerator="cpu",
)


def order(out: Path, trial: str, does: str, **changes: Any) -> Order:
    """An order that `stub` does as `does` says."""
    given: dict[str, Any] = {
        "study": does,
        "spec": SPEC,
        "trial_id": trial,
        "group_id": "group",
        "fingerprint": "toy-0-24-0.1",
        "runtime": Runtime(latency_seconds=0.01),
        "advice": (),
        "work": out / "work" / trial,
        "cache": out / "cache",
        "outbox": out / "outbox",
        "plugins": ("toy",),
    }
    return Order(**(given | changes))


def stub(order: Order, data: Any, on_epoch: Any) -> None:
    """Does what the order's study is called, word by word."""
    order.work.mkdir(parents=True, exist_ok=True)
    for word in order.study.split():
        name, _, value = word.partition("=")
        _DOES[name](order, value, on_epoch)


def commit(order: Order, value: str = "") -> None:
    """Leaves a record in the outbox, under the id of this process."""
    made = HERE.model_copy(update={"threads": int(os.environ.get("OMP_NUM_THREADS", "0"))})
    result = TrialResult(
        trial_id=order.trial_id,
        group_id="group",
        spec=order.spec,
        state="failed" if value == "failed" else "complete",
        data_fingerprint="toy",
        environment=made,
        notes=(str(os.getpid()), harness.__file__ or ""),
    )
    Outbox(order.outbox).commit(order.study, result, None, {})


def processes(workers: int, **runtime: Any) -> ProcessLauncher:
    """A launcher whose workers do `stub`."""
    return ProcessLauncher(ProcessesLaunch(workers=workers), Runtime(**runtime), stub)


def ends(launcher: Launcher, orders: list[Order], seconds: float = 60) -> list[Event]:
    """All events of orders, up to the one that the last of them ends in."""
    events: list[Event] = []
    waiting, left, deadline = list(orders), len(orders), time.monotonic() + seconds
    while left:
        while waiting and len(orders) - len(waiting) - (len(orders) - left) < launcher.width:
            launcher.start(waiting.pop(0))
        launcher.wait(1.0, events.append)
        left = len(orders) - sum(isinstance(event, Ended | Lost | Stuck) for event in events)
        assert time.monotonic() < deadline, events
    return events


def is_running(pid: int) -> bool:
    """Whether there is such a process, and not only its entry in the table."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


def until(holds: Any, seconds: float = 10) -> None:
    """Returns as soon as `holds()`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def _epochs(order: Order, value: str, on_epoch: Any) -> None:
    for epoch in range(int(value)):
        on_epoch(epoch, {"val/mae": 1.0 / (epoch + 1)})


def _file(order: Order, value: str, on_epoch: Any) -> None:
    """Says in a file which process this is."""
    path = order.work.parent.parent / f"{value}.pid"
    path.with_suffix(".new").write_text(str(os.getpid()), encoding="utf-8")
    path.with_suffix(".new").rename(path)


def _node(order: Order, value: str, on_epoch: Any) -> None:
    """Says in a file on which node of a Ray cluster this is."""
    import ray

    path = order.work.parent.parent / f"{value}.node"
    path.with_suffix(".new").write_text(ray.get_runtime_context().get_node_id(), encoding="utf-8")
    path.with_suffix(".new").rename(path)


def _gate(order: Order, value: str, on_epoch: Any) -> None:
    """Goes on when there is such a file."""
    until((order.work.parent.parent / value).exists, 600)


def _child(order: Order, value: str, on_epoch: Any) -> None:
    """Starts a process that holds the worker's line open, and says in a file which."""
    child = os.fork() if value == "forked" else subprocess.Popen(["sleep", "600"]).pid  # noqa: S607
    if not child:
        time.sleep(600)
    path = order.work.parent.parent / "child.pid"
    path.with_suffix(".new").write_text(str(child), encoding="utf-8")
    path.with_suffix(".new").rename(path)


def _full(order: Order, value: str, on_epoch: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(order.work))


def _raise(order: Order, value: str, on_epoch: Any) -> None:
    raise {"BadInput": BadInput("not the same data", key="data"), "KeyError": KeyError("a bug")}[value]


def _say(order: Order, value: str, on_epoch: Any) -> None:
    sys.stderr.write(f"{value}\n")
    sys.stderr.flush()


_DOES: dict[str, Any] = {
    "nothing": lambda order, value, on_epoch: None,
    "commit": lambda order, value, on_epoch: commit(order, value),
    "epochs": _epochs,
    "file": _file,
    "child": _child,
    "node": _node,
    "gate": _gate,
    "full": _full,
    "raise": _raise,
    "say": _say,
    "kill": lambda order, value, on_epoch: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda order, value, on_epoch: os._exit(int(value)),
    "segfault": lambda order, value, on_epoch: ctypes.string_at(0),
    "sleep": lambda order, value, on_epoch: time.sleep(float(value)),
    "hang": lambda order, value, on_epoch: ctypes.PyDLL(None).sleep(600),
}
