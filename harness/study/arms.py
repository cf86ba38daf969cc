"""The arms of a study: its named or crossed patches over the base, and the controls it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from pydantic import ValidationError

from harness.registry import first_fault
from harness.spec import NAMED_CONTROLS, AblationStudy, BadInput, GridStudy, SearchStudy, Study, Template
from harness.study.merge import merge, merge_templates, set_dotted
from harness.study.presets import laid_over


def arms(study: Study) -> dict[str, Template]:
    """Every arm's template, merged over the base, in the order of the file; then the named controls.

    Raises:
        BadInput: a named control has the name of an arm, or an arm a preset that its model lacks.
    """
    found = _grid_arms(study) if isinstance(study, GridStudy) else _named_arms(study)
    for name in study.controls:
        if name in found:
            raise BadInput(f"'{name}' is an arm and a named control", key="controls")
        patch = Template(role="student", control=NAMED_CONTROLS[name])
        found[name] = merge_templates(study.base, patch)
    return found


def place(study: Study, arm: str) -> str:
    """Where the study file speaks of an arm."""
    if arm in study.controls:
        return f"controls ({arm})"
    return f"axes ({arm})" if isinstance(study, GridStudy) else f"arms.{arm}"


def _named_arms(study: AblationStudy | SearchStudy) -> dict[str, Template]:
    return {name: _laid_over(study, name, patch) for name, patch in study.arms.items()}


def _grid_arms(study: GridStudy) -> dict[str, Template]:
    found = {}
    for values in product(*study.axes.values()):
        point = dict(zip(study.axes, values, strict=True))
        name = _point_name(point)
        found[name] = _laid_over(study, name, _point_template(point))
    return found


def _laid_over(study: Study, arm: str, patch: Template) -> Template:
    try:
        return laid_over(study.base, patch)
    except BadInput as fault:
        raise fault.at(key=place(study, arm)) from fault


def _point_name(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{path.rpartition('.')[2]}={value}" for path, value in point.items())


def _point_template(point: Mapping[str, Any]) -> Template:
    patch: dict[str, Any] = {}
    for path, value in point.items():
        patch = merge(patch, set_dotted(path, value))
    try:
        return Template.model_validate(patch)
    except ValidationError as error:
        raise first_fault(error).at(key="axes") from error
