"""What an arm's trial is made of, by dotted path, and the same arm with other values there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from harness.registry import LOSSES, REGISTRIES, first_fault
from harness.spec import (
    ChoiceSpace,
    FloatSpace,
    Optimisation,
    Recipe,
    Role,
    Space,
    Template,
    TrialSpec,
    VariantRef,
)
from harness.study.merge import merge, set_dotted

OPTIMISATION_SPACE: dict[str, Space] = {
    "learning_rate": FloatSpace(low=1e-4, high=1e-2, log=True),
    "weight_decay": FloatSpace(low=1e-4, high=1e-1, log=True),
    "batch_size": ChoiceSpace(choices=(16, 32, 64)),
}
"""What a search tries for every model, beside what its variant and losses say themselves."""

FIXED = ("model.name", "optimisation.monitor", "optimisation.select")
"""What a condition may look at and no search may change: it decides what is compared."""


def with_values(template: Template, values: Mapping[str, Any]) -> Template:
    """The template with these values at these dotted paths.

    Raises:
        BadInput: a value is no value of its field.
    """
    content: Mapping[str, Any] = template.model_dump(exclude_unset=True)
    for path, value in values.items():
        content = merge(content, set_dotted(path, value))
    try:
        return Template.model_validate(content)
    except ValidationError as error:
        raise first_fault(error) from error


def parameters(template: Template, spec: TrialSpec) -> dict[str, Any]:
    """Every parameter of the arm's trial and of its teacher: dotted path to the value in the file.

    `spec` says which parts there are. The values are the template's, because a control changes some
    of them: an arm at half the width is half of the width that is written.
    """
    found: dict[str, Any] = {}
    for part in (spec, spec.teacher):
        if part is not None:
            for path, value in _of_recipe(_recipe(template, part.role), part):
                found[f"{part.role}.{path}"] = value
    return found


def default_spaces(spec: TrialSpec) -> dict[str, Space]:
    """What is tried for an arm's own model, losses and optimisation unless the study says otherwise."""
    found = {f"{spec.role}.optimisation.{name}": space for name, space in OPTIMISATION_SPACE.items()}
    own = REGISTRIES[spec.role].get(spec.model.name).space
    found |= _placed(own, f"{spec.role}.model")
    for loss in spec.losses:
        found |= _placed(LOSSES.get(loss).space, f"{spec.role}.losses.{loss}")
    return found


def is_searchable(path: str) -> bool:
    """Whether a search may change what stands at the path."""
    return path.partition(".")[2] not in FIXED


def _placed(spaces: Mapping[str, Space], prefix: str) -> dict[str, Space]:
    """The spaces of a variant, whose conditions name its own parameters, by dotted path."""
    return {
        f"{prefix}.{name}": space.model_copy(
            update={"when": {f"{prefix}.{other}": value for other, value in space.when.items()}}
        )
        for name, space in spaces.items()
    }


def _recipe(template: Template, role: Role) -> Recipe:
    recipe: Recipe | None = getattr(template, role)
    return recipe or Recipe()


def _of_recipe(recipe: Recipe, spec: TrialSpec) -> Iterator[tuple[str, Any]]:
    model = VariantRef.model_validate((recipe.model or spec.model).model_dump())
    for name, value in REGISTRIES[spec.role].resolve(model).model_dump().items():
        yield f"model.{name}", value
    for loss, term in spec.losses.items():
        for name, value in term.model_dump().items():
            yield f"losses.{loss}.{name}", value
    for name, value in (recipe.optimisation or Optimisation()).model_dump().items():
        yield f"optimisation.{name}", value
