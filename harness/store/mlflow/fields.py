"""What MLflow shows of a trial: parameters, metrics and tags. Nothing is ever read back from them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from harness.spec import TrialResult, TrialSpec

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param, RunTag

Item = TypeVar("Item")

LONGEST_NAME = 250
LONGEST_PARAM = 6000
PARAMS_PER_BATCH = 100


def safe_name(name: str) -> str:
    """The name with every character that MLflow refuses replaced by an underscore."""
    return re.sub(r"[^\w\-./ ]", "_", name, flags=re.ASCII)[:LONGEST_NAME]


def spec_params(spec: TrialSpec) -> list[Param]:
    """The spec as flat parameters, such as ``student.model.width``; long values are cut."""
    from mlflow.entities import Param

    return [
        Param(safe_name(name), value[:LONGEST_PARAM])
        for name, value in _flat(spec.model_dump(mode="json"))
    ]


def step_metrics(metrics: Mapping[str, float], epoch: int) -> list[Metric]:
    """One epoch's metrics."""
    from mlflow.entities import Metric

    now = time.time_ns() // 1_000_000
    return [Metric(safe_name(name), value, now, epoch) for name, value in metrics.items()]


def final_metrics(result: TrialResult) -> list[Metric]:
    """The numbers of the selected epoch, under ``final/`` so that no epoch's value hides them."""
    numbers = dict(result.metrics)
    if result.efficiency is not None:
        numbers["parameters"] = float(result.efficiency.parameters)
        numbers["latency_ms"] = result.efficiency.latency.median_ms
    numbers |= {f"seconds/{phase}": value for phase, value in result.seconds.items()}
    return step_metrics({f"final/{name}": value for name, value in numbers.items()}, 0)


def result_tags(result: TrialResult) -> list[RunTag]:
    """Where the numbers were made, and why there are none if the trial failed."""
    from mlflow.entities import RunTag

    where = result.environment
    tags = {
        "group_id": result.group_id,
        "code_revision": where.code_revision,
        "data_fingerprint": result.data_fingerprint,
        "python": where.python,
        "platform": where.platform,
        "cpu": where.cpu,
        "cores": str(where.cores),
        "threads": str(where.threads),
        "accelerator": where.accelerator,
        **{f"version.{name}": version for name, version in where.versions.items()},
    }
    if result.failure is not None:
        tags["failure"] = result.failure.message
    return [
        RunTag(safe_name(f"adviserbench.{name}"), value[:LONGEST_PARAM]) for name, value in tags.items()
    ]


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in order, in runs of at most `size`: MLflow bounds what one call may carry."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and (value or not name):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value if isinstance(value, str) else json.dumps(value)
