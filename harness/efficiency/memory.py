"""Memory of this process: what it holds, the most it has held, and the same of its accelerator."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PROCESS = Path("/proc/self")

SLACK = 4 * 2**20
"""Bytes by which the kernel's counters of one process may differ: each thread keeps some pages back."""


def peak_rss(process: Path = PROCESS) -> int:
    """The most bytes of memory that this process has held at a time, since it began or a reset.

    Shared libraries count, what was swapped out does not.
    """
    found = _status(process, "VmHWM")
    if found is not None:
        return found
    # Second choice: Linux hands it on when a program is started, so that it may be the parent's.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _unit(sys.platform)


def current_rss(process: Path = PROCESS) -> int:
    """The bytes of memory that this process holds now."""
    found = _status(process, "VmRSS")
    if found is not None:
        return found
    words = ["/bin/ps", "-o", "rss=", "-p", str(os.getpid())]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 - fixed words
    return int(done.stdout) * 1024


def reset_peak(process: Path = PROCESS) -> bool:
    """Lets the peak start again from what is held now; whether it does.

    It cannot on other systems than Linux, nor where the kernel keeps the file for itself.
    """
    try:
        (process / "clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        return False
    # Read back, because some sandboxes take the number and do nothing.
    return peak_rss(process) <= current_rss(process) + SLACK


def accelerator_peak(device: torch.device) -> tuple[int, int] | None:
    """The most bytes that tensors took on the device, and that torch kept for them.

    None on a CPU, and on accelerators that do not keep count.
    """
    import torch

    if device.type != "cuda":
        return None
    return torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)


def _status(process: Path, what: str) -> int | None:
    try:
        lines = (process / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{what}:")]
    return int(found[0]) * 1024 if found else None


def _unit(platform: str) -> int:
    """Bytes that `ru_maxrss` counts in: macOS bytes, the others KiB."""
    return 1 if platform == "darwin" else 1024
