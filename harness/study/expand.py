"""A study as trials: a pure function of the study and the registries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import ValidationError

from harness.registry import DATASETS, LOSSES, REGISTRIES, first_fault
from harness.spec import (
    AblationStudy,
    BadInput,
    GridStudy,
    Member,
    ModelConfig,
    Optimisation,
    Plan,
    Recipe,
    Role,
    Template,
    TrialSpec,
    VariantRef,
    group_id,
    trial_id,
)
from harness.study.merge import merge, merge_templates, set_dotted


@dataclass(frozen=True)
class Cell:
    """The trial of one arm under one seed."""

    arm: str
    seed: int
    spec: TrialSpec


def arms(study: AblationStudy | GridStudy) -> dict[str, Template]:
    """Every arm's template, merged over the base, in the order of the file."""
    if isinstance(study, AblationStudy):
        return {name: merge_templates(study.base, patch) for name, patch in study.arms.items()}
    found = {}
    for values in product(*study.axes.values()):
        point = dict(zip(study.axes, values, strict=True))
        found[_point_name(point)] = merge_templates(study.base, _point_template(point))
    return found


def expand(study: AblationStudy | GridStudy) -> tuple[Cell, ...]:
    """Arms × seeds as resolved trials: the arms in the order of the file, and each arm's seeds.

    Raises:
        BadInput: an arm names no recipe for its role, a variant or parameter that is unknown, a loss
            that needs an output its model (or the teacher) does not give; keyed by arm and place.
    """
    cells = []
    for arm, template in arms(study).items():
        try:
            specs = [_trial(study, template, seed) for seed in study.seeds]
        except BadInput as fault:
            place = f"arms.{arm}" if isinstance(study, AblationStudy) else f"axes ({arm})"
            raise fault.at(key=place) from fault
        cells += [Cell(arm, seed, spec) for seed, spec in zip(study.seeds, specs, strict=True)]
    _check_reference(study, {cell.arm for cell in cells})
    return tuple(cells)


def make_plan(
    study: AblationStudy | GridStudy, cells: tuple[Cell, ...], fingerprints: Mapping[VariantRef, str]
) -> Plan:
    """The plan of a study on data with these fingerprints: each trial once, teachers first."""
    trials: dict[str, TrialSpec] = {}
    teachers: dict[str, str] = {}
    members = []
    for cell in cells:
        identity = trial_id(cell.spec, fingerprints[cell.spec.data])
        members.append(Member(arm=cell.arm, seed=cell.seed, trial_id=identity))
        if cell.spec.teacher is not None:
            teacher = trial_id(cell.spec.teacher, fingerprints[cell.spec.teacher.data])
            trials.setdefault(teacher, cell.spec.teacher)
            teachers[identity] = teacher
        trials.setdefault(identity, cell.spec)
    ordered = sorted(trials.items(), key=lambda item: item[1].teacher is not None)
    return Plan(
        study=study,
        members=tuple(members),
        trials=dict(ordered),
        teachers=teachers,
        fingerprints={identity: fingerprints[spec.data] for identity, spec in ordered},
        groups={identity: group_id(spec, fingerprints[spec.data]) for identity, spec in ordered},
    )


def _trial(study: AblationStudy | GridStudy, template: Template, seed: int) -> TrialSpec:
    role = template.role or "student"
    spec = _part(study, template, role, seed)
    advised = {name for name in spec["losses"] if LOSSES.get(name).config.advice}
    if advised and role == "teacher":
        raise BadInput(
            f"{min(advised)} asks for a teacher's advice, and this is the teacher", key="teacher.losses"
        )
    if advised:
        spec["teacher"] = _validated(_part(study, template, "teacher", seed), "teacher")
        _check_advice(spec, advised, role)
    if template.control is not None:
        spec["control"] = template.control
    return _validated(spec, role)


def _part(study: AblationStudy | GridStudy, template: Template, role: Role, seed: int) -> dict[str, Any]:
    recipe: Recipe | None = getattr(template, role)
    if recipe is None or recipe.model is None or recipe.model.name is None:
        raise BadInput(f"no {role} is named here or in the base", key=f"{role}.model.name")
    if not recipe.losses:
        raise BadInput(f"the {role} has no losses", key=f"{role}.losses")
    model = _resolved(REGISTRIES[role].resolve, recipe.model.model_dump(), f"{role}.model")
    losses = {}
    for name, term in recipe.losses.items():
        given = {"name": name, **(term.params if term else {})}
        found = _resolved(
            LOSSES.resolve, given, f"{role}.losses.{name}" if name in LOSSES else f"{role}.losses"
        )
        losses[name] = {"weight": term.weight if term else 1.0, **found.params}
    _check_outputs(role, model, losses)
    return {
        "role": role,
        "data": _data(study, template),
        "model": model,
        "losses": losses,
        "optimisation": recipe.optimisation or Optimisation(),
        "protocol": study.protocol,
        "precision": template.precision or "32-true",
        "seed": seed,
    }


def _data(study: AblationStudy | GridStudy, template: Template) -> VariantRef:
    given = study.data.model_dump()
    if template.data is not None:
        given = merge(given, template.data.model_dump(exclude_unset=True))
    return _resolved(DATASETS.resolve, given, "data")


def _resolved(resolve: Any, given: Mapping[str, Any], key: str) -> VariantRef:
    try:
        found: VariantRef = resolve(VariantRef.model_validate(given))
    except BadInput as fault:
        raise fault.at(key=key) from fault
    return found


def _validated(spec: Mapping[str, Any], role: Role) -> TrialSpec:
    try:
        return TrialSpec.model_validate(spec)
    except ValidationError as error:
        raise first_fault(error).at(key=role) from error


def _check_outputs(role: Role, model: VariantRef, losses: Mapping[str, Any]) -> None:
    gives = REGISTRIES[role].configure(model).gives()
    for name in losses:
        missing = LOSSES.get(name).config.needs - gives
        if missing:
            wanted, given = ", ".join(sorted(missing)), ", ".join(sorted(gives))
            raise BadInput(
                f"{name} needs {wanted}; {model.name} gives {given}", key=f"{role}.losses.{name}"
            )


def _check_advice(spec: Mapping[str, Any], advised: set[str], role: Role) -> None:
    teacher: TrialSpec = spec["teacher"]
    gives = REGISTRIES["teacher"].configure(teacher.model).gives()
    for name in sorted(advised):
        missing = LOSSES.get(name).config.advice - gives
        if missing:
            raise BadInput(
                f"{name} needs the teacher's {', '.join(sorted(missing))}; "
                f"{teacher.model.name} gives {', '.join(sorted(gives))}",
                key=f"{role}.losses.{name}",
            )


def _check_reference(study: AblationStudy | GridStudy, names: set[str]) -> None:
    if study.reference is not None and study.reference not in names:
        raise BadInput(
            f"no arm is called '{study.reference}'; known: {', '.join(sorted(names))}", key="reference"
        )


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


def models(cells: tuple[Cell, ...]) -> Iterator[tuple[str, TrialSpec, ModelConfig]]:
    """The arm, the trial and the model's configuration, of every trial and its teacher."""
    for cell in cells:
        for spec in (cell.spec, cell.spec.teacher):
            if spec is not None:
                yield cell.arm, spec, REGISTRIES[spec.role].configure(spec.model)
