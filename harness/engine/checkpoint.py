"""Where training stands at the end of an epoch, on disk, so that a killed run continues exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness.spec import EpochRecord


@dataclass
class Progress:
    """What the loop carries from epoch to epoch besides model and optimiser.

    Attributes:
        epoch: epochs that are done.
        best_epoch: the epoch that validation selects so far, -1 before the first.
        best_value: its monitored value.
        best_state: the model's `moving_state` at that epoch.
        records: metrics of every epoch that is done.
    """

    epoch: int = 0
    best_epoch: int = -1
    best_value: float = float("nan")
    best_state: dict[str, Tensor] = field(default_factory=dict)
    records: list[EpochRecord] = field(default_factory=list)


def moving_state(module: nn.Module) -> dict[str, Tensor]:
    """The tensors that training moves: all but frozen parameters, which are as they were built.

    A frozen tower is most of a model, and would be most of what every epoch writes.
    """
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    return {name: tensor for name, tensor in module.state_dict().items() if name not in frozen}


def load_moving_state(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Puts the tensors of `moving_state` back.

    Raises:
        RuntimeError: they are not those of this module.
    """
    missing = moving_state(module).keys() - state.keys()
    if missing:
        raise RuntimeError(f"a checkpoint of another model: it has no {min(missing)}")
    found = module.load_state_dict(state, strict=False)
    if found.unexpected_keys:
        raise RuntimeError(f"a checkpoint of another model: it has {found.unexpected_keys[0]}")


def save_checkpoint(
    path: Path, progress: Progress, model: dict[str, Any], optimiser: dict[str, Any]
) -> None:
    """Writes all of it, in one step as others see it: the old file or the new one, never a part."""
    content = {
        "epoch": progress.epoch,
        "best_epoch": progress.best_epoch,
        "best_value": progress.best_value,
        "best_state": progress.best_state,
        "records": [record.model_dump() for record in progress.records],
        "model": model,
        "optimiser": optimiser,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> tuple[Progress, dict[str, Any], dict[str, Any]]:
    """Progress, model state and optimiser state, as saved."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    progress = Progress(
        epoch=content["epoch"],
        best_epoch=content["best_epoch"],
        best_value=content["best_value"],
        best_state=content["best_state"],
        records=[EpochRecord.model_validate(record) for record in content["records"]],
    )
    return progress, content["model"], content["optimiser"]
