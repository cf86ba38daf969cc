"""Energy of a block of code: what processor packages and, on an accelerator, the accelerator took.

Everything that the packages do meanwhile is in it, whoever does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import torch

RAPL = Path("/sys/class/powercap")

Read = Callable[[], int]


@dataclass(frozen=True)
class _Counter:
    """A counter of energy that only rises, until it starts from nothing again at `limit`."""

    name: str
    read: Read
    joules_a_unit: float
    limit: int | None = None

    def between(self, before: int, after: int) -> float:
        """Joules from one reading to the next; a counter that ran over did so once."""
        over = self.limit if self.limit is not None and after < before else 0
        return (after - before + over) * self.joules_a_unit


class EnergyMeter:
    """The energy of what is done inside ``with meter:``.

    Processor packages are read through RAPL, an accelerator of NVIDIA's through NVML if `pynvml` is
    installed. Not read are the parts of a package by themselves, which it contains, and the platform as
    a whole, which contains packages; memory is in neither. A counter of a package runs over after some
    minutes at full power: a block must be shorter. An accelerator has to be waited for in the block.

    Attributes:
        joules: of the last block, summed over what can be read; None before it, and if nothing can.
    """

    def __init__(self, device: torch.device | None = None, *, root: Path = RAPL) -> None:
        self.joules: float | None = None
        self._before: list[int] = []
        packages, told = _packages(root)
        accelerator, told_of_accelerator = _accelerator(device)
        self._counters = packages + accelerator
        self._sources = told + told_of_accelerator

    @property
    def is_readable(self) -> bool:
        """Whether anything can be read here."""
        return bool(self._counters)

    def sources(self) -> tuple[str, ...]:
        """What is read, and why the rest is not."""
        return self._sources

    def __enter__(self) -> Self:
        self.joules = None
        self._before = [counter.read() for counter in self._counters]
        return self

    def __exit__(self, *_: object) -> None:
        after = [counter.read() for counter in self._counters]
        spent = [
            counter.between(*readings)
            for counter, *readings in zip(self._counters, self._before, after, strict=True)
        ]
        self.joules = sum(spent) if spent else None


def _packages(root: Path) -> tuple[list[_Counter], tuple[str, ...]]:
    # One colon: a part of a package has two, such as intel-rapl:0:1.
    zones = sorted(zone for zone in root.glob("intel-rapl:*") if zone.name.count(":") == 1)
    counters, told = [], []
    for zone in zones:
        try:
            name = _text(zone / "name")
            if not name.startswith("package"):
                continue
            _text(zone / "energy_uj")
            limit = int(_text(zone / "max_energy_range_uj"))
        except OSError as error:
            told.append(f"RAPL: {zone.name} cannot be read ({error.strerror})")
            continue
        counters.append(_Counter(name, _reader(zone / "energy_uj"), 1e-6, limit))
        told.append(f"RAPL: {name}")
    return counters, tuple(told) or (f"RAPL: no package under {root}",)


def _reader(file: Path) -> Read:
    return lambda: int(_text(file))


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


def _accelerator(device: torch.device | None) -> tuple[list[_Counter], tuple[str, ...]]:
    if device is None or device.type == "cpu":
        return [], ()
    if device.type != "cuda":
        return [], (f"no counter of the energy of {device.type}",)
    try:
        pynvml = import_module("pynvml")
    except ImportError:
        return [], ("NVML: pynvml is not installed",)
    try:
        pynvml.nvmlInit()
        handle = _handle(pynvml, device)
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError as error:
        return [], (f"NVML: {device} cannot be read ({error})",)
    counter = _Counter(
        str(device), lambda: int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)), 1e-3
    )
    return [counter], (f"NVML: {device}",)


def _handle(pynvml: Any, device: torch.device) -> Any:
    import torch

    # By its own name: NVML numbers all devices, torch those that it may see.
    return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
