"""The same study, shrunk: for seeing within a minute whether it runs, never for its numbers."""

from __future__ import annotations

from typing import Any

from harness.registry import DATASETS, REGISTRIES
from harness.spec import STUDY_ADAPTER, AblationStudy, GridStudy

TINY_OPTIMISATION = {"max_epochs": 2, "batch_size": 8}
TINY_LATENCY_SECONDS = 0.01


def shrink(study: AblationStudy | GridStudy) -> AblationStudy | GridStudy:
    """Every variant with its tiny preset over its parameters, two epochs, the first two seeds.

    Arms, losses and axes stay as they are; the name says that it is tiny, so that its trials and
    tables are never taken for those of the study.
    """
    content = study.model_dump(exclude_unset=True)
    content["name"] = f"{study.name}-tiny"
    content["seeds"] = study.seeds[:2]
    content["runtime"] = {**content.get("runtime", {}), "latency_seconds": TINY_LATENCY_SECONDS}
    content["data"] |= dict(DATASETS.get(study.data.name).tiny)
    for template in (content["base"], *content.get("arms", {}).values()):
        _shrink_template(template)
    return STUDY_ADAPTER.validate_python(content)


def _shrink_template(template: dict[str, Any]) -> None:
    for role in ("teacher", "student", "baseline"):
        recipe = template.get(role)
        if not recipe:
            continue
        name = (recipe.get("model") or {}).get("name")
        if name is not None and name in REGISTRIES[role]:
            recipe["model"] |= dict(REGISTRIES[role].get(name).tiny)
            recipe["optimisation"] = {**(recipe.get("optimisation") or {}), **TINY_OPTIMISATION}
