"""Which arms share a value, and how a sentence lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from harness.spec import GridStudy, TrialSpec

if TYPE_CHECKING:
    from reports.collect import Records


def about(groups: dict[str, list[str]], arms: Iterable[str]) -> list[str]:
    """``value (arm, arm)`` for each value; the arms in the order of the table."""
    order: Callable[[str], int] = list(arms).index
    return [
        f"{value} ({', '.join(sorted(group, key=order))})" for value, group in sorted(groups.items())
    ]


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """From a value to the arms that have it, each once, both in the order of appearance."""
    groups: dict[str, list[str]] = {}
    for arm, value in pairs:
        arms = groups.setdefault(value, [])
        if arm not in arms:
            arms.append(arm)
    return groups


def spec_by_arm(records: Records) -> dict[str, TrialSpec]:
    """The spec of each arm under its first seed."""
    return {arm: records.of(arm)[0].spec for arm in records.arms}


def reference_of(records: Records, arm: str, reference: str | None) -> str | None:
    """The arm that an arm is compared with: the one that it names, or else the table's."""
    study = records.plan.study
    patch = None if isinstance(study, GridStudy) else study.arms.get(arm)
    own = patch.reference if patch is not None else None
    found = own or reference
    return None if found == arm else found
