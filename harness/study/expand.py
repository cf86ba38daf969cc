"""A study as trials: a pure function of the study and the registries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.registry import DATASETS, REGISTRIES
from harness.spec import (
    COSTS,
    BadInput,
    DataConfig,
    GridStudy,
    Member,
    ModelConfig,
    Plan,
    SearchStudy,
    Study,
    TrialSpec,
    Tuning,
    VariantRef,
    group_id,
    many_values,
    nearest,
    trial_id,
)
from harness.study.arms import arms, place
from harness.study.presets import tuning
from harness.study.resolve import resolve_trial


@dataclass(frozen=True)
class Cell:
    """The trial of one arm under one seed."""

    arm: str
    seed: int
    spec: TrialSpec


@many_values()
def expand(study: Study) -> tuple[Cell, ...]:
    """Arms × seeds as resolved trials: the arms in the order of the file, and each arm's seeds.

    Raises:
        BadInput: an arm names no recipe for its role, a variant or parameter that is unknown, a loss
            that needs an output its model (or the teacher) does not give; keyed by arm and place.
    """
    cells = []
    for arm, template in arms(study).items():
        try:
            spec = resolve_trial(study, template, study.seeds[0])
        except BadInput as fault:
            raise fault.at(key=place(study, arm)) from fault
        cells += [Cell(arm, seed, reseeded(spec, seed)) for seed in study.seeds]
    _check_references(study, {cell.arm for cell in cells})
    if isinstance(study, SearchStudy):
        _check_objectives(study, cells)
    return tuple(cells)


@many_values()
def make_plan(study: Study, cells: tuple[Cell, ...], fingerprints: Mapping[VariantRef, str]) -> Plan:
    """The plan of a study on data with these fingerprints: each trial once, teachers first."""
    trials: dict[str, TrialSpec] = {}
    teachers: dict[str, tuple[str, ...]] = {}
    members = []
    for cell in cells:
        identity = trial_id(cell.spec, fingerprints[cell.spec.data])
        members.append(Member(arm=cell.arm, seed=cell.seed, trial_id=identity))
        if identity in trials:
            continue
        found = {trial_id(spec, fingerprints[spec.data]): spec for spec in cell.spec.advisers()}
        for teacher, spec in found.items():
            trials.setdefault(teacher, spec)
        if found:
            teachers[identity] = tuple(found)
        trials[identity] = cell.spec
    ordered = sorted(trials.items(), key=lambda item: bool(item[1].advisers()))
    return Plan(
        study=study,
        members=tuple(members),
        trials=dict(ordered),
        teachers=teachers,
        fingerprints={identity: fingerprints[spec.data] for identity, spec in ordered},
        groups=_groups(ordered, fingerprints),
        tuning=_tunings(study),
    )


def _tunings(study: Study) -> dict[str, Tuning]:
    found = {arm: tuning(template) for arm, template in arms(study).items()}
    return {arm: told for arm, told in found.items() if told is not None}


def _groups(
    trials: Sequence[tuple[str, TrialSpec]], fingerprints: Mapping[VariantRef, str]
) -> dict[str, str]:
    """The group of every trial; twins under several seeds, which follow each other, are hashed once."""
    groups: dict[str, str] = {}
    group, twin = "", None
    for identity, spec in trials:
        if twin is None or reseeded(twin, spec.seed) != spec:
            group, twin = group_id(spec, fingerprints[spec.data]), spec
        groups[identity] = group
    return groups


def reseeded(spec: TrialSpec, seed: int) -> TrialSpec:
    """The same trial under another seed, and its teacher too, on the data as that seed reads them."""
    teacher = None if spec.teacher is None else reseeded(spec.teacher, seed)
    data = _of_seed(spec.data, seed)
    return spec.model_copy(update={"seed": seed, "data": data, "teacher": teacher})


def _of_seed(data: VariantRef, seed: int) -> VariantRef:
    config = DATASETS.get(data.name).config
    # Nearly all data are the same under every seed, and a study may have thousands of trials.
    if config.for_seed is DataConfig.for_seed:
        return data
    params = DATASETS.configure(data).for_seed(seed).model_dump(mode="json")
    return VariantRef.model_validate({"name": data.name, **params})


def models(cells: tuple[Cell, ...]) -> Iterator[tuple[str, TrialSpec, ModelConfig]]:
    """The arm, the trial and the model's configuration, of every trial and its teacher."""
    for cell in cells:
        for spec in (cell.spec, cell.spec.teacher):
            if spec is not None:
                yield cell.arm, spec, REGISTRIES[spec.role].configure(spec.model)


def _check_references(study: Study, names: set[str]) -> None:
    named = {"reference": study.reference}
    if not isinstance(study, GridStudy):
        named |= {f"arms.{arm}.reference": patch.reference for arm, patch in study.arms.items()}
    for key, reference in named.items():
        if reference is not None and reference not in names:
            raise BadInput(f"no arm is called '{reference}'; {nearest(reference, names)}", key=key)


def _check_objectives(study: SearchStudy, cells: Sequence[Cell]) -> None:
    """Trials have the numbers that the search is about; it would fail after the last of them."""
    for task in {cell.spec.task.name: cell.spec.task for cell in cells}.values():
        for objective in study.search.objective:
            if objective not in COSTS and objective.removeprefix("val/") not in task.metrics:
                raise BadInput(
                    f"'{objective}' is no metric of {task.name}; expected one such as "
                    f"'val/{task.primary}'",
                    key="search.objective",
                )
