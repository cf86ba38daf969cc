"""What the contracts of students, teachers and baselines share: their variants, and toy clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from toy import Toy, ToyConfig
from toy_events import ToyEvents, ToyEventsConfig

from harness.contracts import Fits, Tokenises
from harness.registry import BUILTIN_PACKAGES, Registry, discover
from harness.spec import OutputName, TaskName
from harness.types import Batch, Dataset, Outputs, Padded

discover()
DATA = Toy(ToyConfig()).load()
EVENTS = ToyEvents(ToyEventsConfig()).load()
DATA_OF: dict[TaskName, Dataset] = {"sentiment": DATA, "retrieval": EVENTS}
SEQUENCES = ("tokens", "token_ids", "text", "vision", "audio", "frames")


def ways(registry: Registry[Any], task: TaskName = "sentiment") -> Iterator[Any]:
    """The tiny version of each variant, and one for every other option of its switches and choices."""
    for entry in registry:
        if entry.config.task != task or not entry.builder.__module__.startswith(BUILTIN_PACKAGES):
            continue
        tiny = entry.tiny_config()
        yield pytest.param(entry, tiny, id=entry.name)
        for name, field in entry.config.model_fields.items():
            for option in options(field.annotation):
                if option != getattr(tiny, name):
                    config = entry.configure({**entry.tiny, name: option})
                    yield pytest.param(entry, config, id=f"{entry.name}-{name}-{option}")


def options(annotation: Any) -> tuple[Any, ...]:
    if annotation is bool:
        return (False, True)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def build(entry: Any, config: Any, seed: int = 0) -> Any:
    """The model in eval mode, initialised from the seed."""
    torch.manual_seed(seed)
    return entry.builder(config, DATA_OF[config.task].info).eval()


def ready_to_use(entry: Any, config: Any, seed: int = 0) -> Any:
    """As `build`, with what it has in closed form fitted to all training clips."""
    model = build(entry, config, seed)
    if isinstance(model, Fits):
        with torch.no_grad():
            model.fit(DATA_OF[config.task].train)
    return model


def told(outputs: Outputs) -> list[torch.Tensor]:
    """Every vector that a model gives, but for states."""
    names = [name for name in get_args(OutputName) if name != "hidden"]
    return [value for name in names if (value := getattr(outputs, name)) is not None]


def clips_of(task: TaskName, count: int = 8) -> Batch:
    """A few clips of a task."""
    return clips(count) if task == "sentiment" else events(count)


def ready(model: Any, batch: Batch) -> Batch:
    """The clips as the model reads them."""
    return model.tokenise(batch) if isinstance(model, Tokenises) else batch


def clips(count: int = 8) -> Batch:
    """Clips of different lengths in every view."""
    batch = DATA.train.take(torch.arange(count))
    spoken = (text * (1 + row % 3) for row, text in enumerate(batch.transcripts or ()))
    return replace(batch, transcripts=tuple(spoken))


def events(count: int = 8) -> Batch:
    """Clips of all classes, of different lengths in every view."""
    return EVENTS.train.take(torch.arange(count))


def longer(batch: Batch, steps: int = 2) -> Batch:
    """The same clips with more padding in every sequence; text encoders have positions for two."""
    found = {name: getattr(batch, name) for name in SEQUENCES}
    padded: dict[str, Any] = {
        name: more(sequence, steps) for name, sequence in found.items() if sequence is not None
    }
    return replace(batch, **padded)


def more(sequence: Padded, steps: int) -> Padded:
    values, mask = sequence.values, sequence.mask
    empty = values.new_zeros(len(values), steps, *values.shape[2:])
    return Padded(
        torch.cat((values, empty), dim=1), torch.cat((mask, mask.new_zeros(len(mask), steps)), dim=1)
    )
