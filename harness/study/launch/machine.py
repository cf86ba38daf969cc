"""What a machine has, and what each of its workers gets of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from harness.spec import Runtime

_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
)
_GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Share:
    """A worker's part of a machine.

    Attributes:
        gpus: as CUDA names them; empty leaves what the process sees of them as it is.
    """

    threads: int
    gpus: tuple[str, ...] = ()

    def variables(self) -> dict[str, str]:
        """What the libraries of a process read when they are loaded."""
        gpus = {_GPUS: ",".join(self.gpus)} if self.gpus else {}
        return thread_variables(self.threads) | gpus


def thread_variables(threads: int) -> dict[str, str]:
    """Environment variables that bound the threads of every numerical library."""
    return dict.fromkeys(_THREADS, str(threads))


def deal(
    workers: int | None, runtime: Runtime, cores: int, gpus: tuple[str, ...] = ()
) -> tuple[Share, ...]:
    """A share for each worker, of GPUs in turn `runtime.devices` each.

    Without a number of workers there are as many as have GPUs, or cores, of their own.
    """
    on_cores = 1 if gpus else runtime.devices
    if workers is None and gpus:
        workers = len(gpus) // runtime.devices
    elif workers is None:
        workers = cores // (on_cores * (runtime.threads or 1))
    count = max(1, workers)
    threads = runtime.threads or max(1, cores // (count * on_cores))
    return tuple(
        Share(threads, tuple(_in_turn(gpus, number * runtime.devices, runtime.devices)))
        for number in range(count)
    )


def cores_here() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus_here(runtime: Runtime) -> tuple[str, ...]:
    """The GPUs that trials may use, as CUDA names them; none when they run on something else."""
    if runtime.accelerator not in {"cuda", "auto"}:
        return ()
    import torch

    if not torch.cuda.is_available():
        return ()
    named = os.environ.get(_GPUS)
    return tuple(named.split(",")) if named else tuple(map(str, range(torch.cuda.device_count())))


def _in_turn(gpus: tuple[str, ...], first: int, count: int) -> list[str]:
    return [gpus[(first + n) % len(gpus)] for n in range(count)] if gpus else []
