"""The same study, shrunk: for seeing within a minute whether it runs, never for its numbers."""

from __future__ import annotations

from typing import Any

from harness.registry import DATASETS, REGISTRIES
from harness.spec import STUDY_ADAPTER, Role, SearchStudy, Study

TINY_OPTIMISATION = {"max_epochs": 2, "batch_size": 8}
TINY_SEARCH = {"trials": 3, "at_once": 2}
TINY_LATENCY_SECONDS = 0.01
TINY_BENCH = {
    "clips": 3,
    "batches": (1, 2),
    "calls": 2,
    "batch_calls": None,
    "seconds": 0.02,
    "warmup_seconds": 0.1,
    "processes": 1,
}
ROLES: tuple[Role, ...] = ("teacher", "student", "baseline")


def shrink(study: Study) -> Study:
    """Every variant with its tiny preset over its parameters, two epochs, the first two seeds.

    Arms, losses and axes stay as they are, but for sizes that an arm sets itself; a search tries three
    trials and no sizes. The name says that it is tiny, so that its trials and tables are never taken
    for those of the study.
    """
    content = study.model_dump(exclude_unset=True)
    content["name"] = f"{study.name}-tiny"
    content["seeds"] = study.seeds[:2]
    content["runtime"] = {**content.get("runtime", {}), "latency_seconds": TINY_LATENCY_SECONDS}
    content["bench"] = {**content.get("bench", {}), **TINY_BENCH}
    content["data"] |= dict(DATASETS.get(study.data.name).tiny)
    names = {role: _name(content["base"], role) for role in ROLES}
    for template in (content["base"], *content.get("arms", {}).values()):
        _shrink_template(template, names)
    if isinstance(study, SearchStudy):
        content["search"] = {**content.get("search", {}), **TINY_SEARCH}
        content["search"]["space"] = _space_without_sizes(content)
    return STUDY_ADAPTER.validate_python(content)


def _space_without_sizes(content: dict[str, Any]) -> dict[str, Any]:
    space = dict(content["search"].get("space", {}))
    for template in (content["base"], *content.get("arms", {}).values()):
        for role in ROLES:
            name = _name(template, role)
            if name is not None and name in REGISTRIES[role]:
                entry = REGISTRIES[role].get(name)
                space |= {f"{role}.model.{param}": None for param in entry.space}
    return {path: None if ".model." in path else one for path, one in space.items()}


def _name(template: dict[str, Any], role: Role) -> str | None:
    name: str | None = ((template.get(role) or {}).get("model") or {}).get("name")
    return name


def _shrink_template(template: dict[str, Any], base_names: dict[Role, str | None]) -> None:
    for role in ROLES:
        recipe, name = template.get(role), _name(template, role)
        known = name or base_names[role]
        if not recipe or known is None or known not in REGISTRIES[role]:
            continue
        tiny = dict(REGISTRIES[role].get(known).tiny)
        if name is not None:
            recipe["model"] |= tiny
            recipe["optimisation"] = {**(recipe.get("optimisation") or {}), **TINY_OPTIMISATION}
        elif recipe.get("model"):
            # A patch stays a patch: what it says of sizes is shrunk, and it says no more than before.
            recipe["model"] |= {key: tiny[key] for key in recipe["model"] if key in tiny}
