"""The latency of an architecture, from the calls of all trials that have it.

What a forward pass costs is decided by a model's structure and not by its weights, so two arms with the
same model, such as a student and its distilled twin, share what was measured of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING

from harness.spec import TrialResult, canonical_json
from reports.conditions import latency_condition

if TYPE_CHECKING:
    from reports.collect import Records


def shared_latencies(records: Records) -> Mapping[str, float]:
    """From a trial to the median, in ms, over the calls of all trials of its seed with its model.

    Only calls under the same conditions are put together; a trial without a latency is left out.
    """
    together: dict[str, dict[str, TrialResult]] = {}
    for arm in records.arms:
        for _, result in records.complete(arm):
            if result.efficiency is not None:
                together.setdefault(_cost(result), {})[result.trial_id] = result
    found: dict[str, float] = {}
    for results in together.values():
        calls = [ms for one in results.values() if one.efficiency for ms in _calls(one)]
        found |= dict.fromkeys(results, median(calls))
    return found


def twins(records: Records) -> tuple[tuple[str, ...], ...]:
    """The arms of each model that several arms have."""
    by_model: dict[str, list[str]] = {}
    for arm in records.arms:
        for _, result in records.complete(arm)[:1]:
            if result.efficiency is not None:
                by_model.setdefault(_cost(result), []).append(arm)
    return tuple(tuple(arms) for arms in by_model.values() if len(arms) > 1)


def _calls(result: TrialResult) -> tuple[float, ...]:
    return result.efficiency.latency.samples_ms if result.efficiency is not None else ()


def _cost(result: TrialResult) -> str:
    spec = result.spec
    return canonical_json(
        {
            "model": spec.model.model_dump(mode="json"),
            "data": result.data_fingerprint,
            "seed": spec.seed,
            "conditions": latency_condition(result),
        }
    )
