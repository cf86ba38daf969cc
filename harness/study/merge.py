"""Laying one template over another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.spec import Template


def merge_templates(base: Template, patch: Template) -> Template:
    """The base with the patch's keys over it, key by key at every depth.

    Two rules beyond that: a loss set to null is taken away, and a variant under another name
    replaces the base's variant together with its parameters, which belong to the old name.
    """
    merged = merge(base.model_dump(exclude_unset=True), patch.model_dump(exclude_unset=True))
    return Template.model_validate(_without_null_losses(merged))


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The merged mapping; neither argument is changed."""
    if patch.get("name") is not None and patch["name"] != base.get("name") and "name" in base:
        return dict(patch)
    merged = dict(base)
    for key, value in patch.items():
        below = base.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def set_dotted(path: str, value: Any) -> dict[str, Any]:
    """Nested mappings of a dotted path: ``a.b`` and 1 give ``{"a": {"b": 1}}``."""
    for part in reversed(path.split(".")):
        value = {part: value}
    return dict(value)


def _without_null_losses(template: dict[str, Any]) -> dict[str, Any]:
    cleaned = dict(template)
    for role in ("teacher", "student", "baseline"):
        recipe = cleaned.get(role)
        if recipe and recipe.get("losses"):
            kept = {name: term for name, term in recipe["losses"].items() if term is not None}
            cleaned[role] = {**recipe, "losses": kept}
    return cleaned
