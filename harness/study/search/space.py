"""What the search of an arm may choose, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.spec import BadInput, SearchStudy, Space, Template, TrialSpec, nearest
from harness.study.arms import arms, place
from harness.study.resolve import resolve_trial
from harness.study.search.parts import default_spaces, is_searchable, parameters
from harness.study.search.values import holds, is_one_of


@dataclass(frozen=True)
class ArmSpace:
    """The parameters that an arm's search chooses.

    Attributes:
        spaces: by dotted path, whatever a condition looks at before what is under that condition.
        conditions: of a path that is not always searched: other searched paths, and the values of
            each under which it is.
        own: the values of the file, of all parameters of the arm.
    """

    template: Template
    spec: TrialSpec
    spaces: Mapping[str, Space]
    conditions: Mapping[str, Mapping[str, tuple[Any, ...]]]
    own: Mapping[str, Any]

    def is_searched(self, path: str, chosen: Mapping[str, Any]) -> bool:
        """Whether the path is to be chosen after these were; what was not has the file's value."""
        return all(
            is_one_of(chosen.get(other, self.own[other]), allowed)
            for other, allowed in self.conditions.get(path, {}).items()
        )

    @property
    def start(self) -> dict[str, Any]:
        """The file's values, as far as they lie in the space."""
        found = {path: self.own[path] for path, space in self.spaces.items()}
        return {path: value for path, value in found.items() if holds(self.spaces[path], value)}


def arm_spaces(study: SearchStudy) -> dict[str, ArmSpace]:
    """The space of every arm, in the order of the file.

    It is what the arm's variants say of themselves, with `search.space` over it. A path that an arm
    has no part for is left out for that arm.

    Raises:
        BadInput: an arm cannot be resolved; a path or condition is of no arm's trial, is never met or
            goes in a circle; nothing is searched.
    """
    resolved = {arm: _resolved(study, arm, template) for arm, template in arms(study).items()}
    known = {path for _, _, own in resolved.values() for path in own}
    for path in study.search.space:
        _check_path(path, known)
    found = {arm: _arm_space(study, *parts, known) for arm, parts in resolved.items()}
    for path, space in study.search.space.items():
        if space is not None and not any(path in arm.spaces for arm in found.values()):
            raise _fault(path, f"no arm is ever searched here: no value meets when {space.when}")
    if not any(arm.spaces for arm in found.values()):
        raise BadInput("nothing is left to search", key="search.space")
    return found


def _resolved(
    study: SearchStudy, arm: str, template: Template
) -> tuple[Template, TrialSpec, dict[str, Any]]:
    try:
        spec = resolve_trial(study, template, study.search.seed, splits=("val",))
    except BadInput as fault:
        raise fault.at(key=place(study, arm)) from fault
    return template, spec, parameters(template, spec)


def _arm_space(
    study: SearchStudy, template: Template, spec: TrialSpec, own: dict[str, Any], known: set[str]
) -> ArmSpace:
    asked: dict[str, Space | None] = {**default_spaces(spec), **study.search.space}
    declared = {path: space for path, space in asked.items() if space is not None and path in own}
    spaces: dict[str, Space] = {}
    conditions: dict[str, dict[str, tuple[Any, ...]]] = {}
    for path in _ordered(declared, known):
        needed = {other: _allowed(value) for other, value in declared[path].when.items()}
        for other in needed.keys() & spaces.keys():
            _check_possible(path, other, needed[other], spaces[other])
        is_met = (
            other in spaces or (other in own and is_one_of(own[other], allowed))
            for other, allowed in needed.items()
        )
        if all(is_met):
            spaces[path] = declared[path]
            conditions[path] = {other: needed[other] for other in needed if other in spaces}
    return ArmSpace(template, spec, spaces, conditions, own)


def _ordered(spaces: Mapping[str, Space], known: set[str]) -> list[str]:
    """The paths by name, but each after those that its condition looks at."""
    done: list[str] = []

    def visit(path: str, above: tuple[str, ...]) -> None:
        if path in above:
            circle = " → ".join((*above[above.index(path) :], path))
            raise _fault(path, f"the conditions go in a circle: {circle}")
        if path in done:
            return
        for other in sorted(spaces[path].when):
            if other not in known:
                raise _fault(path, f"when names '{other}', which no arm has; {nearest(other, known)}")
            if other in spaces:
                visit(other, (*above, path))
        done.append(path)

    for path in sorted(spaces):
        visit(path, ())
    return done


def _allowed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _check_path(path: str, known: set[str]) -> None:
    searchable = {name for name in known if is_searchable(name)}
    if path.partition(".")[0] == "data":
        raise _fault(path, "the data are what arms are compared on; a search does not change them")
    if path not in searchable:
        raise _fault(path, f"no arm has such a parameter to search; {nearest(path, searchable)}")


def _check_possible(path: str, other: str, allowed: tuple[Any, ...], space: Space) -> None:
    for value in allowed:
        if not holds(space, value):
            raise _fault(path, f"when {other} is {value!r}, which its space does not hold: {space!r}")


def _fault(path: str, message: str) -> BadInput:
    return BadInput(message, key=f"search.space.{path}")
