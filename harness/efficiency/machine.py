"""What a measuring process finds of its machine: threads, cores, clock, and who else is at work."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from time import sleep

import torch

from harness.spec import BadInput, MachineState

WATCHED_SECONDS = 0.5
"""Long enough for a hundred ticks of two cores' clocks."""

LEAST_TICKS = 40
"""Of all cores together: of fewer, one that is counted a moment later would be a share of its own."""

SYSTEM = Path("/")


def machine_state(
    decoder: str,
    timer_overhead_us: float,
    *,
    root: Path = SYSTEM,
    seconds: float = WATCHED_SECONDS,
) -> MachineState:
    """The machine as this process has it now, read back from torch and the kernel.

    Args:
        decoder: library that opens clips, with its version and threads.
        timer_overhead_us: what timing costs.
        root: where ``proc`` and ``sys`` are.
        seconds: how long other processes are watched.
    """
    affinity = _affinity()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return MachineState(
        intra_threads=torch.get_num_threads(),
        inter_threads=torch.get_num_interop_threads(),
        affinity=affinity,
        governor=_governor(root, affinity),
        clock_mhz=_clock_mhz(root, affinity),
        others_share=others_share(root=root, seconds=seconds),
        load_average=load,
        timer_overhead_us=timer_overhead_us,
        decoder=decoder,
    )


def usable_cores() -> int:
    """How many cores this process may run on."""
    return len(_affinity()) or os.cpu_count() or 1


def checked_threads(count: int | None) -> int:
    """The number of threads that is asked for; None is as many as there are cores that may be used.

    Raises:
        BadInput: under bench.threads; there are fewer cores.
    """
    there = usable_cores()
    wanted = there if count is None else count
    if not 1 <= wanted <= there:
        raise BadInput(
            f"expected 1 to {there} threads, of the cores that may be used here, given {wanted}",
            key="bench.threads",
        )
    return wanted


def set_threads(count: int | None) -> tuple[int, int]:
    """Gives torch so many threads in an operation, and one for operations side by side.

    The second can be set once a process, before anything ran: after that it stays as it is.

    Args:
        count: None is as many as there are cores that may be used.

    Returns:
        Both numbers as torch has them, read after both were set.

    Raises:
        BadInput: under bench.threads; there are fewer cores, or torch has another number than it was
            given.
    """
    wanted = checked_threads(count)
    torch.set_num_threads(wanted)
    if torch.get_num_interop_threads() != 1:
        # What torch raises when it is too late; which number it has is read back.
        with suppress(RuntimeError):
            torch.set_num_interop_threads(1)
    found = torch.get_num_threads(), torch.get_num_interop_threads()
    if found[0] != wanted:
        raise BadInput(f"torch was given {wanted} threads and has {found[0]}", key="bench.threads")
    return found


def others_share(*, root: Path = SYSTEM, seconds: float = WATCHED_SECONDS) -> float:
    """The share of all cores that other processes use now, 0 to 1.

    This process and its threads are left out. Where the kernel does not count ticks it is the load
    average of the last minute by core, which this process is part of.
    """
    watch = OthersWatch(root)
    sleep(seconds if watch.sees else 0)
    share = watch.share()
    return min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)) if share is None else share


class OthersWatch:
    """How much of the cores other processes use, from when it is made.

    Work that a hypervisor gives to others counts too, where it tells of it.
    """

    def __init__(self, root: Path = SYSTEM) -> None:
        self._root = root
        self._before = _ticks(root)

    @property
    def sees(self) -> bool:
        """Whether there is a kernel that counts."""
        return self._before is not None

    def share(self) -> float | None:
        """Of all cores until now, 0 to 1, without this process; None of too few ticks, or of none."""
        before, after = self._before, _ticks(self._root)
        if before is None or after is None or after.all - before.all < LEAST_TICKS:
            return None
        others = (after.busy - before.busy) - (after.own - before.own)
        return min(1.0, max(0.0, others / (after.all - before.all)))


@dataclass(frozen=True)
class _Ticks:
    """Of the kernel's clock since the machine was started, over all cores."""

    all: int
    busy: int
    own: int


def _ticks(root: Path) -> _Ticks | None:
    try:
        cores = (root / "proc/stat").read_text(encoding="utf-8").partition("\n")[0]
        process = (root / "proc/self/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    # Guests come after the eighth, and are among those of users already.
    spent = [int(word) for word in cores.split()[1:9]]
    idle = sum(spent[3:5])
    # A process may have brackets and blanks in its name, which ends at the last bracket.
    own = process.rpartition(")")[2].split()[11:13]
    return _Ticks(sum(spent), sum(spent) - idle, sum(map(int, own)))


def _affinity() -> tuple[int, ...]:
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def _governor(root: Path, cores: tuple[int, ...]) -> str | None:
    found = [_of_clock(root, core, "scaling_governor") for core in cores]
    return ", ".join(sorted({name for name in found if name})) or None


def _clock_mhz(root: Path, cores: tuple[int, ...]) -> float | None:
    """Mean over the cores that may be used, as they run now; in a virtual machine what that is told."""
    found = [_of_clock(root, core, "scaling_cur_freq") for core in cores]
    mhz = [int(khz) / 1000 for khz in found if khz.isdecimal()] or _told_mhz(root)
    return mean(mhz) if mhz else None


def _told_mhz(root: Path) -> list[float]:
    try:
        lines = (root / "proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")]


def _of_clock(root: Path, core: int, what: str) -> str:
    """Nothing where it cannot be read, as in most virtual machines."""
    try:
        file = root / f"sys/devices/system/cpu/cpu{core}/cpufreq/{what}"
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
