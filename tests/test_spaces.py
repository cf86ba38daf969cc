"""What a search may try of a variant: values that it takes, and none that make it another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations
from typing import Any, get_args

import pytest
import torch
from contract import DATA_OF, clips_of, ready, ready_to_use, told

from harness.contracts import Adapts
from harness.registry import BUILTIN_PACKAGES, REGISTRIES, Entry, discover
from harness.spec import BadInput, ChoiceSpace, LossTerm, ModelConfig, OutputName, Space
from harness.types import Outputs, Padded

discover()
BUILTIN = [
    entry
    for registry in REGISTRIES.values()
    for entry in registry
    if entry.builder.__module__.startswith(BUILTIN_PACKAGES)
]
SEARCHED = [entry for entry in BUILTIN if entry.space]
MODELS = [entry for entry in BUILTIN if entry.kind in {"teacher", "student", "baseline"}]


def named(entry: Entry[Any]) -> str:
    return f"{entry.kind}-{entry.name}"


every_searched = pytest.mark.parametrize("entry", SEARCHED, ids=named)
every_searched_model = pytest.mark.parametrize("entry", MODELS, ids=named)
every_searched_loss = pytest.mark.parametrize(
    "entry", [entry for entry in SEARCHED if entry.kind == "loss"], ids=named
)


def ends(space: Space) -> tuple[Any, ...]:
    return space.choices if isinstance(space, ChoiceSpace) else (space.low, space.high)


def contains(space: Space, value: Any) -> bool:
    if isinstance(space, ChoiceSpace):
        return value in space.choices
    steps = (value - space.low) / space.step if space.step else 0.0
    return space.low <= value <= space.high and float(steps).is_integer()


def condition(space: Space) -> dict[str, Any]:
    """Values of other parameters under which the space counts."""
    return {
        name: wanted[0] if isinstance(wanted, list) else wanted for name, wanted in space.when.items()
    }


def corners(entry: Entry[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """One parameter at an end of its space, under its condition; the weight is no part of a loss."""
    for name, space in entry.space.items():
        for value in ends(space):
            if name != "weight":
                yield name, {**condition(space), name: value}


def tiny_corners(entry: Entry[Any]) -> Iterator[Any]:
    """The tiny version with one parameter at an end of its space, where its other sizes allow that."""
    for name, corner in corners(entry):
        with suppress(BadInput):
            config = entry.configure({**entry.tiny, **corner})
            yield pytest.param(entry, config, id=f"{named(entry)}-{name}-{corner[name]}")


every_tiny_corner = pytest.mark.parametrize(
    ("entry", "config"), [way for entry in MODELS for way in tiny_corners(entry)]
)


@pytest.mark.parametrize("entry", BUILTIN, ids=named)
def test_models_and_losses_that_carry_advice_are_searched_and_data_sets_and_back_ends_are_not(entry):
    if entry.kind == "loss":
        assert "weight" in entry.space or not entry.config.advice
    else:
        assert bool(entry.space) == (entry.kind not in {"dataset", "backend"})


@every_searched
def test_its_defaults_lie_in_its_space(entry):
    defaults = {**entry.config().model_dump(), "weight": LossTerm().weight}
    outside = [name for name, space in entry.space.items() if not contains(space, defaults[name])]
    assert outside == []


@every_searched
def test_what_a_space_depends_on_is_another_parameter(entry):
    for name, space in entry.space.items():
        assert set(space.when) <= set(entry.config.model_fields) - {name}


@every_searched
def test_every_corner_is_a_legal_configuration(entry):
    for name, corner in corners(entry):
        assert getattr(entry.configure(corner), name) == corner[name]


@every_searched
def test_corners_of_two_parameters_agree_with_each_other(entry):
    for (name, one), (other, another) in combinations(corners(entry), 2):
        if name != other and all(another.get(key, value) == value for key, value in one.items()):
            both = {**one, **another}
            assert entry.configure(both).model_dump(include=set(both)) == both


@every_searched_model
def test_a_search_does_not_change_what_a_model_reads_and_gives(entry):
    def role(config: ModelConfig) -> tuple[object, ...]:
        return config.needs(), config.gives(), config.level_count(), config.frames_taken()

    for name, corner in corners(entry):
        plain = entry.configure({key: value for key, value in corner.items() if key != name})
        assert role(entry.configure(corner)) == role(plain)


@every_tiny_corner
def test_a_tiny_model_works_with_any_one_parameter_at_an_end_of_its_space(entry, config):
    model = ready_to_use(entry, config)
    with torch.no_grad():
        said = told(model(ready(model, clips_of(config.task, 4))))
    assert all(value.isfinite().all() for value in said)


@every_searched_loss
def test_a_loss_is_finite_with_any_one_parameter_at_an_end_of_its_space(entry):
    data = DATA_OF[entry.config.task or "sentiment"]
    for _, corner in corners(entry):
        loss = entry.builder(entry.configure({**entry.tiny, **corner}), data.info)
        trained = outputs(0, len(data.info.classes) or 7, entry.config.parts)
        advice = outputs(1, len(data.info.classes) or 7) if entry.config.advice else None
        if isinstance(loss, Adapts):
            loss.adapt(trained, advice, clips=data.train)
        value = loss(trained, data.train.take(torch.arange(8)), advice)
        assert value.isfinite()
        value.backward()
        reached = (trained.tensor(name).grad for name in get_args(OutputName))
        assert all(grad.isfinite().all() for grad in reached if grad is not None)


def outputs(seed: int, classes: int, parts: frozenset[str] = frozenset()) -> Outputs:
    draw = torch.Generator().manual_seed(seed)

    def tensor(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw).requires_grad_()

    return Outputs(
        tensor(8),
        class_logits=tensor(8, classes),
        embedding=tensor(8, 5),
        audio_embedding=tensor(8, 5),
        vision_embedding=tensor(8, 5),
        match=tensor(8, 6),
        hidden=Padded(tensor(8, 20, 5), torch.ones(8, 20, dtype=torch.bool)),
        parts={name: tensor(*part_shape(name, classes)) for name in sorted(parts)},
    )


def part_shape(name: str, classes: int) -> tuple[int, ...]:
    """By the end of its name, as in the losses' own contract."""
    if name.endswith("_states"):
        return (8, 20, 5)
    if name.endswith("_class_logits"):
        return (8, classes)
    return (8,) if name.endswith("_score") else (8, 5)
