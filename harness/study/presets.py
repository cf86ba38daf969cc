"""Hyper-parameters that an arm takes from the file beside its model."""

from __future__ import annotations

from pathlib import Path
from sys import modules
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError
from yaml import YAMLError

from harness.registry import LOSSES, REGISTRIES, Entry, first_fault
from harness.spec import BadInput, ModelConfig, Preset, Recipe, Role, Template, Tuning, nearest
from harness.study.merge import merge_templates

_PRESETS: TypeAdapter[dict[str, Preset]] = TypeAdapter(dict[str, Preset])


def laid_over(base: Template, patch: Template) -> Template:
    """The patch over the base, and between them the preset that either of them names.

    Raises:
        BadInput: the model has no preset of that name, or a value of it is not legal.
    """
    merged = merge_templates(base, patch)
    found = _named(merged)
    if found is None:
        return merged
    role, recipe, preset = found
    content = {
        "model": {"name": _model_name(recipe), **preset.model},
        "losses": _losses(base, role, preset),
        "optimisation": preset.optimisation,
    }
    try:
        between = Template.model_validate({role: content})
    except ValidationError as error:
        raise first_fault(error).at(key=f"{role}.preset") from error
    return merge_templates(merge_templates(base, between), patch)


def _losses(base: Template, role: Role, preset: Preset) -> dict[str, dict[str, Any] | None]:
    """The preset's losses in place of the base's; but a teacher's advice is no matter of a preset."""
    recipe: Recipe | None = getattr(base, role)
    before = (recipe.losses or {}) if recipe is not None and preset.losses else {}
    replaced = {name for name in before if name in LOSSES and not LOSSES.get(name).config.advice}
    found: dict[str, dict[str, Any] | None] = dict.fromkeys(replaced)
    return found | {name: term.model_dump() for name, term in preset.losses.items()}


def tuning(template: Template) -> Tuning | None:
    """Where the values of a merged template's preset are from; None without one."""
    found = _named(template)
    if found is None:
        return None
    _, recipe, preset = found
    return Tuning(data=recipe.preset or "", source=preset.source, trials=preset.trials)


def presets(entry: Entry[ModelConfig]) -> dict[str, Preset]:
    """The presets of a model, by data set; empty without a file beside it.

    Raises:
        BadInput: the file cannot be read, or says what a preset cannot say.
    """
    file = Path(modules[entry.builder.__module__].__file__ or "").with_suffix(".yaml")
    if not file.is_file():
        return {}
    try:
        content = OmegaConf.to_container(OmegaConf.load(file))
        return _PRESETS.validate_python(content)
    except (OmegaConfBaseException, YAMLError) as error:
        raise BadInput(f"cannot be read: {error}", file=file) from error
    except ValidationError as error:
        raise first_fault(error).at(file=file) from error


def _named(template: Template) -> tuple[Role, Recipe, Preset] | None:
    role = template.role or "student"
    recipe: Recipe | None = getattr(template, role)
    if recipe is None or recipe.preset is None:
        return None
    entry = REGISTRIES[role].get(_model_name(recipe))
    found = presets(entry)
    if recipe.preset not in found:
        hint = nearest(recipe.preset, found)
        raise BadInput(f"{entry.name} has no values for '{recipe.preset}'; {hint}", key=f"{role}.preset")
    return role, recipe, found[recipe.preset]


def _model_name(recipe: Recipe) -> str:
    if recipe.model is None or recipe.model.name is None:
        raise BadInput("a preset belongs to a model, and none is named", key="model.name")
    return recipe.model.name
