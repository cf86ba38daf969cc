"""From an arm's template to its trial: every variant resolved, every combination checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from harness.registry import DATASETS, LOSSES, REGISTRIES, first_fault
from harness.spec import (
    TASKS,
    BadInput,
    Condition,
    LossTerm,
    Optimisation,
    Protocol,
    Recipe,
    Role,
    SearchStudy,
    Split,
    Study,
    TaskSpec,
    Template,
    TrialSpec,
    VariantRef,
)
from harness.study.merge import merge

LABEL_OUTPUTS = frozenset({"score", "class_logits", "match"})
"""What a label can be written as."""


def resolve_trial(
    study: Study, template: Template, seed: int, splits: tuple[Split, ...] = ("val", "test")
) -> TrialSpec:
    """The trial of an arm under one seed; its teacher is evaluated on the same splits.

    Raises:
        BadInput: no recipe for the arm's role, a variant or parameter that is unknown, a loss that
            needs an output its model (or the teacher, or the control in its place) does not give.
    """
    role = template.role or "student"
    is_alone = template.control in {"alone", "alone_half"}
    spec = _part(study, _without_advice(template, role) if is_alone else template, role, seed)
    spec["splits"] = splits
    if template.control == "alone_half":
        spec["model"] = _halved(role, spec["model"])
    advised = {name for name in spec["losses"] if LOSSES.get(name).config.advice}
    if advised and role == "teacher":
        raise BadInput(
            f"{min(advised)} asks for a teacher's advice, and this is the teacher", key="teacher.losses"
        )
    if advised:
        spec["teacher"] = _teacher(study, template, seed, splits)
        # How a teacher advises has no object where none does: said in the base, it is for the others.
        spec["schedule"] = template.schedule or "two_stage"
        spec["folds"] = template.folds or 1
    if template.control is not None and not is_alone:
        spec["control"] = template.control
    if advised:
        _check_advice(spec, advised, role)
    return _validated(spec, role)


def _teacher(study: Study, template: Template, seed: int, splits: tuple[Split, ...]) -> TrialSpec:
    spec = _part(study, template, "teacher", seed)
    spec["splits"] = splits
    if template.control == "untrained":
        spec["optimisation"] = spec["optimisation"].model_copy(update={"max_epochs": 0})
    return _validated(spec, "teacher")


def _without_advice(template: Template, role: Role) -> Template:
    recipe: Recipe | None = getattr(template, role)
    if recipe is None or not recipe.losses:
        return template
    kept = {
        name: term
        for name, term in recipe.losses.items()
        if name not in LOSSES or not LOSSES.get(name).config.advice
    }
    return template.model_copy(update={role: recipe.model_copy(update={"losses": kept})})


def _halved(role: Role, model: VariantRef) -> VariantRef:
    try:
        half = REGISTRIES[role].configure(model).halved()
    except BadInput as fault:
        raise fault.at(key=f"{role}.model") from fault
    return VariantRef.model_validate({"name": model.name, **half.model_dump(mode="json")})


def _part(study: Study, template: Template, role: Role, seed: int) -> dict[str, Any]:
    recipe: Recipe | None = getattr(template, role)
    if recipe is None or recipe.model is None or recipe.model.name is None:
        raise BadInput(f"no {role} is named here or in the base", key=f"{role}.model.name")
    model = _resolved(REGISTRIES[role].resolve, recipe.model.model_dump(), f"{role}.model")
    is_fitted = REGISTRIES[role].configure(model).is_fitted
    optimisation = Optimisation(max_epochs=0) if is_fitted else recipe.optimisation
    if not recipe.losses and not is_fitted:
        raise BadInput(f"the {role} has no losses", key=f"{role}.losses")
    data, task = _data(study, template)
    losses = {}
    # What a model has in closed form is no matter of losses and epochs that the base has for others.
    for name, term in () if is_fitted else (recipe.losses or {}).items():
        given = {"name": name, **(term.params if term else {})}
        found = _resolved(
            LOSSES.resolve, given, f"{role}.losses.{name}" if name in LOSSES else f"{role}.losses"
        )
        own = term or LossTerm()
        losses[name] = {
            "weight": own.weight,
            "warmup_epochs": own.warmup_epochs,
            **found.params,
        }
    _check_task(task, role, model, losses)
    _check_outputs(role, model, losses)
    return {
        "role": role,
        "data": data,
        "model": model,
        "losses": losses,
        "optimisation": _optimisation(optimisation, task, role),
        "protocol": _protocol(study, task),
        "precision": template.precision or "32-true",
        "seed": seed,
        "labelled_fraction": recipe.labelled_fraction or 1.0,
        "missing": recipe.missing,
        "conditions": _conditions(study, data),
    }


def _optimisation(given: Optimisation | None, task: TaskSpec, role: Role) -> Optimisation:
    found = given or Optimisation()
    primary = task.teachers_primary if role == "teacher" else task.primary
    monitor = found.monitor or f"val/{primary}"
    if monitor.removeprefix("val/") not in task.metrics:
        raise BadInput(
            f"'{monitor}' is no metric of {task.name}; expected one such as 'val/{primary}'",
            key=f"{role}.optimisation.monitor",
        )
    return found.model_copy(update={"monitor": monitor})


def _protocol(study: Study, task: TaskSpec) -> Protocol:
    if study.protocol is None:
        return task.protocols[0]
    if study.protocol not in task.protocols:
        raise BadInput(
            f"'{study.protocol}' is no protocol of {task.name}; it has {', '.join(task.protocols)}",
            key="protocol",
        )
    return study.protocol


def _check_task(task: TaskSpec, role: Role, model: VariantRef, losses: Mapping[str, Any]) -> None:
    config = REGISTRIES[role].configure(model)
    if config.task != task.name:
        raise BadInput(
            f"{model.name} is a model for {config.task}, and the data are for {task.name}",
            key=f"{role}.model.name",
        )
    for name in losses:
        own = LOSSES.get(name).config.task
        if own not in {None, task.name}:
            raise BadInput(
                f"{name} is a loss for {own}, and the data are for {task.name}",
                key=f"{role}.losses.{name}",
            )


def _conditions(study: Study, data: VariantRef) -> tuple[Condition, ...]:
    asked = tuple(found for protocol in study.robustness for found in protocol.conditions())
    if len(set(asked)) < len(asked):
        raise BadInput("a protocol is asked for twice under the same conditions", key="robustness")
    if asked and DATASETS.get(data.name).config.task == "retrieval":
        raise BadInput(
            "expected none in a study of retrieval: a clip cannot be found by what it lacks",
            key="robustness",
        )
    has_recordings = hasattr(DATASETS.get(data.name).builder, "degraded")
    if not has_recordings and any(found.kind == "blur" for found in asked):
        raise BadInput(
            f"blur happens to pictures, and data set '{data.name}' has features only", key="robustness"
        )
    return asked


def _data(study: Study, template: Template) -> tuple[VariantRef, TaskSpec]:
    given = study.data.model_dump()
    if template.data is not None:
        given = merge(given, template.data.model_dump(exclude_unset=True))
    found = _resolved(DATASETS.resolve, given, "data")
    config = DATASETS.configure(found)
    if isinstance(study, SearchStudy) and config.for_seed(study.seeds[0]) is not config:
        raise BadInput(
            "a search would choose on clips that other folds test; name the fold that is test",
            key="data.fold",
        )
    return found, TASKS[config.task]


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
    config = REGISTRIES[role].configure(model)
    gives, parts = config.gives(), config.parts()
    for name in losses:
        lacking = LOSSES.get(name).config.parts - parts
        if lacking:
            raise BadInput(
                f"{name} is a loss of models with the parts {', '.join(sorted(lacking))}; "
                f"{model.name} has {', '.join(sorted(parts)) or 'none'}",
                key=f"{role}.losses.{name}",
            )
        missing = LOSSES.get(name).config.needs - gives
        if missing:
            wanted, given = ", ".join(sorted(missing)), ", ".join(sorted(gives))
            raise BadInput(
                f"{name} needs {wanted}; {model.name} gives {given}", key=f"{role}.losses.{name}"
            )


def _check_advice(spec: Mapping[str, Any], advised: set[str], role: Role) -> None:
    teacher: TrialSpec = spec["teacher"]
    gives = REGISTRIES["teacher"].configure(teacher.model).gives()
    who = teacher.model.name
    if spec.get("control") == "label_echo":
        # Labels have no embedding; the teacher's own would carry what it knows.
        gives, who = gives & LABEL_OUTPUTS, "control label_echo"
    for name in sorted(advised):
        config = LOSSES.get(name).config
        own_terms = {"match"} | ({"embedding", "hidden"} if config.relational else set())
        if spec["folds"] > 1 and config.advice & own_terms:
            raise BadInput(
                f"{name} compares clips that teachers of different folds have described, each in terms "
                "of its own; expected folds 1",
                key="folds",
            )
        missing = LOSSES.get(name).config.advice - gives
        if missing:
            raise BadInput(
                f"{name} needs the teacher's {', '.join(sorted(missing))}; "
                f"{who} gives {', '.join(sorted(gives))}",
                key=f"{role}.losses.{name}",
            )
    _check_levels(spec, advised, role)


def _check_levels(spec: Mapping[str, Any], advised: set[str], role: Role) -> None:
    own = REGISTRIES[role].configure(spec["model"]).level_count()
    teachers = REGISTRIES["teacher"].configure(spec["teacher"].model).level_count()
    for name in sorted(advised):
        compared = "class_logits" in LOSSES.get(name).config.needs & LOSSES.get(name).config.advice
        if compared and own is not None and teachers is not None and own != teachers:
            raise BadInput(
                f"{name} compares class logits: the {role} has {own} levels, its teacher {teachers}",
                key=f"{role}.losses.{name}",
            )
