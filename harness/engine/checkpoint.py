"""Where training stands at the end of an epoch, on disk, so that a killed run continues exactly."""

from __future__ import annotations

import os
import pickle
import zipfile
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
        notes: what the trial's record must say of how it was trained.
        is_hopeless: whether the trial was given up; asked again when it is resumed, so not kept.
    """

    epoch: int = 0
    best_epoch: int = -1
    best_value: float = float("nan")
    best_state: dict[str, Tensor] = field(default_factory=dict)
    records: list[EpochRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_hopeless: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """All that training needs to go on.

    Attributes:
        model: the `moving_state` of models and losses.
        optimisers: the state of the model's optimiser, and of its losses' opponents' if they have any.
        revision: of the code that wrote it.
    """

    progress: Progress
    model: dict[str, Any]
    optimisers: tuple[dict[str, Any], ...]
    revision: str


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


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Writes all of it, in one step as others see it: the old file or the new one, never a part.

    Raises:
        OSError: there is no room; the old file is as it was.
    """
    progress = checkpoint.progress
    content = {
        "epoch": progress.epoch,
        "best_epoch": progress.best_epoch,
        "best_value": progress.best_value,
        "best_state": progress.best_state,
        "records": [record.model_dump() for record in progress.records],
        "notes": progress.notes,
        "model": checkpoint.model,
        "optimisers": checkpoint.optimisers,
        "revision": checkpoint.revision,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        # Opened here, because torch loses the system's error of a file that it opens itself.
        with partial.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        error.filename = error.filename or str(partial)
        # What is half-written would keep the disk full.
        partial.unlink(missing_ok=True)
        raise


def load_checkpoint(path: Path) -> Checkpoint | None:
    """What was saved; None when there is nothing, or nothing that can be believed.

    A file that lost a part, or a bit, is nothing: training starts over, to the same numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        content = torch.load(path, map_location="cpu", weights_only=True)
        return _checkpoint(content)
    except (OSError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError):
        return None
    # Keys and records as another revision of the code wrote them.
    except (KeyError, ValueError):
        return None


def _checkpoint(content: Mapping[str, Any]) -> Checkpoint:
    progress = Progress(
        epoch=content["epoch"],
        best_epoch=content["best_epoch"],
        best_value=content["best_value"],
        best_state=content["best_state"],
        records=[EpochRecord.model_validate(record) for record in content["records"]],
        notes=content["notes"],
    )
    return Checkpoint(progress, content["model"], content["optimisers"], content["revision"])
