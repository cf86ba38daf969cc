"""What the contracts of students, teachers and baselines share: their variants, and toy clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from toy import Toy, ToyConfig

from harness.contracts import Tokenises
from harness.registry import BUILTIN_PACKAGES, Registry, discover
from harness.types import Batch, Padded

discover()
DATA = Toy(ToyConfig()).load()
SEQUENCES = ("tokens", "token_ids", "text", "vision", "audio", "frames")


def ways(registry: Registry[Any]) -> Iterator[Any]:
    """The tiny version of each variant, and one for every other option of its switches and choices."""
    for entry in registry:
        if not entry.builder.__module__.startswith(BUILTIN_PACKAGES):
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
    return entry.builder(config, DATA.info).eval()


def ready(model: Any, batch: Batch) -> Batch:
    """The clips as the model reads them."""
    return model.tokenise(batch) if isinstance(model, Tokenises) else batch


def clips(count: int = 8) -> Batch:
    """Clips of different lengths in every view."""
    batch = DATA.train.take(torch.arange(count))
    spoken = (text * (1 + row % 3) for row, text in enumerate(batch.transcripts or ()))
    return replace(batch, transcripts=tuple(spoken))


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
