"""Whether the values that a search may try are legal; asked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.spec import BadInput, SearchStudy, Space, TrialSpec
from harness.study.resolve import resolve_trial
from harness.study.search.parts import with_values
from harness.study.search.space import ArmSpace, arm_spaces
from harness.study.search.values import probes


def trial_of(study: SearchStudy, space: ArmSpace, values: Mapping[str, Any]) -> TrialSpec:
    """The arm's trial of the search with these values: under the search's seed, never on test.

    Raises:
        BadInput: the values, or their combination, are not legal.
    """
    template = with_values(space.template, values)
    return resolve_trial(study, template, study.search.seed, splits=("val",))


def checked_spaces(study: SearchStudy) -> dict[str, ArmSpace]:
    """The space of every arm, of which every end and every choice makes a trial.

    The other parameters are as the file has them then. Combinations are not tried: one that turns
    out to be impossible is a failed trial of the search.

    Raises:
        BadInput: as `arm_spaces`; a value is not legal, keyed by its path, and says in which arm.
    """
    spaces = arm_spaces(study)
    for arm, space in spaces.items():
        for path in space.spaces:
            for value in probes(space.spaces[path]):
                try:
                    trial_of(study, space, _where_it_is_searched(space, path) | {path: value})
                except BadInput as fault:
                    raise BadInput(
                        f"{value!r} is not possible in the arm {arm}: {fault.message}",
                        key=f"search.space.{path}",
                    ) from fault
    return spaces


def _where_it_is_searched(space: ArmSpace, path: str) -> dict[str, Any]:
    """Values of other parameters under which the path is searched: the file's if they do."""
    found: dict[str, Any] = {}
    for other, allowed in space.conditions.get(path, {}).items():
        found |= _where_it_is_searched(space, other)
        found[other] = space.own[other] if space.own[other] in allowed else allowed[0]
    return found


def describe(spaces: Mapping[str, Space]) -> dict[str, Any]:
    """The spaces as plain containers, for a digest."""
    return {path: space.model_dump(mode="json") for path, space in spaces.items()}
