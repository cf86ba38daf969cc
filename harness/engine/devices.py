"""The devices that a trial runs on, and Fabric on them."""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.strategies import DDPStrategy
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from harness.contracts import Opposes
from harness.engine.environment import find_device
from harness.registry import LOSSES, Entry
from harness.spec import BadInput, LossConfig, Precision, Runtime, TrialSpec

STRATEGIES = ("auto", "ddp", "ddp_spawn")
"""All of them one: a whole model on every device. The processes are always started by us, so ``ddp``
does not run the command a second time."""


def check_devices(runtime: Runtime, specs: Iterable[TrialSpec] = ()) -> torch.device:
    """The device that trials run on, or the kind of it if there are several.

    Raises:
        BadInput: there are fewer devices than asked for, or one of `specs` cannot be trained on so
            many.
    """
    device = find_device(runtime.accelerator)
    there = _count(device)
    if runtime.devices > there:
        raise BadInput(
            f"expected at most {there} devices of {device.type} here, given {runtime.devices}",
            key="runtime.devices",
        )
    if runtime.strategy not in STRATEGIES:
        raise BadInput(
            f"no strategy that keeps a model whole is called '{runtime.strategy}'; "
            f"expected {', '.join(STRATEGIES)}",
            key="runtime.strategy",
        )
    if runtime.devices > 1:
        for spec in specs:
            _check_losses(runtime.devices, spec)
    return device


def check_model(devices: int, model: nn.Module) -> None:
    """Refuses a model that does not see clips one by one, if there are several devices.

    Raises:
        ValueError: a part of it normalises over the batch.
    """
    over_batch = [name for name, part in model.named_modules() if isinstance(part, _BatchNorm)]
    if devices > 1 and over_batch:
        raise ValueError(
            f"'{over_batch[0]}' normalises over the clips of a batch, and each of {devices} devices "
            "would see a share of them; expected runtime.devices 1"
        )


def one_device(device: torch.device, precision: Precision) -> Fabric:
    """Fabric on a device, in this process.

    Raises:
        ValueError: the device lacks the precision.
    """
    return _with_precision(Fabric(accelerator=device.type, devices=1, precision=precision), precision)


def one_of(device: torch.device, precision: Precision, rank: int, ranks: int) -> Fabric:
    """Fabric on the device of one of several processes, each of which calls this.

    Raises:
        ValueError: the device lacks the precision.
    """
    fabric = Fabric(
        accelerator=device.type,
        devices=ranks,
        precision=precision,
        # A loss need not read every output, and a share need not have a labelled clip.
        strategy=DDPStrategy(find_unused_parameters=True),
        plugins=[_Seat(rank)],
    )
    return _with_precision(fabric, precision)


class _Seat(LightningEnvironment):
    """Tells Fabric which process this is, and that it need not start any."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.rank = rank

    @property
    def creates_processes_externally(self) -> bool:
        return True

    def local_rank(self) -> int:
        return self.rank

    def node_rank(self) -> int:
        return 0


def _with_precision(fabric: Fabric, precision: Precision) -> Fabric:
    # Fabric takes another precision where the device lacks this one, and only warns.
    used = fabric.strategy.precision.precision
    if used != precision:
        kind = fabric.accelerator.name()
        raise ValueError(f"precision {precision} is not to be had on {kind}; {used} would be")
    return fabric


def _count(device: torch.device) -> int:
    """How many there are; of CPUs one a core, because more only take time from each other."""
    if device.type == "cuda":
        return torch.cuda.device_count()
    return 1 if device.type == "mps" else os.cpu_count() or 1


def _check_losses(devices: int, spec: TrialSpec) -> None:
    trained = [spec, spec.teacher] if spec.teacher and spec.schedule == "joint" else [spec]
    for name in (name for one in trained for name in one.losses):
        does = _needs_whole_batches(LOSSES.get(name))
        if does is not None:
            raise BadInput(
                f"the loss '{name}' {does}, and each of {devices} devices would see a share of them; "
                "expected 1",
                key="runtime.devices",
            )


def _needs_whole_batches(loss: Entry[LossConfig]) -> str | None:
    """What a loss does that shares of batches would change; None if it is a mean over clips."""
    if loss.config.relational:
        return "compares the clips of a batch with each other"
    if loss.config.remembers:
        return "remembers training clips"
    if issubclass(loss.builder, Opposes):
        return "trains an opponent on the clips of a batch"
    return None
