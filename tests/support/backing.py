"""Tiny models on back ends, and clips of two sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from contract import clips_of, ready, ready_to_use
from torch import Tensor, nn

from harness.contracts import Runner
from harness.registry import BACKENDS
from harness.types import Batch


def tiny(entry: Any) -> tuple[nn.Module, Callable[[int], Batch]]:
    """The tiny version of a model, and so many clips as it sees them, of different lengths."""
    config = entry.tiny_config()
    model = ready_to_use(entry, config)
    return model, lambda count: ready(model, clips_of(config.task, count).only(config.needs()))


def on(name: str, model: nn.Module, *batches: Batch, threads: int = 1, **params: Any) -> Runner:
    """The model, prepared for batches of these sizes."""
    entry = BACKENDS.get(name)
    return entry.builder(entry.configure(params)).ready(model, list(batches), threads)


@torch.inference_mode()
def apart(runner: Runner, model: nn.Module, clips: Batch) -> float:
    """The largest difference between what the back end and what the model says first of clips."""
    found, expected = runner(clips).first(), model(clips).first()
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    return float((found - expected).abs().max())


def state(model: nn.Module) -> tuple[list[Tensor], list[bool], list[type]]:
    """What must not change: weights and buffers, modes, and what the parts are."""
    tensors = [each.clone() for each in (*model.parameters(), *model.buffers())]
    parts = list(model.modules())
    return tensors, [part.training for part in parts], [type(part) for part in parts]
