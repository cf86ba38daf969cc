"""On which data, code and machines, and under which conditions, the numbers were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec import TrialResult
from reports.conditions import hardware, latency_condition
from reports.grouping import grouped

if TYPE_CHECKING:
    from reports.collect import Records


def machines(records: Records) -> dict[str, list[str]]:
    """From a machine and its libraries, in words, to the arms that ran there."""
    return grouped((arm, _machine(result)) for arm, result in _complete(records))


def latency_conditions(records: Records) -> dict[str, list[str]]:
    """From the conditions of a latency, in words, to the arms that were measured so."""
    return grouped(
        (arm, condition)
        for arm, result in _complete(records)
        if (condition := latency_condition(result)) is not None
    )


def origins(records: Records) -> dict[str, dict[str, list[str]]]:
    """From a kind of origin to its values, and from a value to the arms that have it."""
    results = _complete(records)
    return {
        "data fingerprint": grouped((arm, result.data_fingerprint) for arm, result in results),
        "code revision": grouped((arm, result.environment.code_revision) for arm, result in results),
    }


def _complete(records: Records) -> list[tuple[str, TrialResult]]:
    return [(arm, result) for arm in records.arms for _, result in records.complete(arm)]


def _machine(result: TrialResult) -> str:
    where = result.environment
    versions = ", ".join(f"{name} {version}" for name, version in sorted(where.versions.items()))
    return f"{hardware(result)}, {where.platform}, Python {where.python}" + (
        f", {versions}" if versions else ""
    )
