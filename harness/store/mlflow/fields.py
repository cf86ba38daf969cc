"""What MLflow shows of a trial: parameters, metrics and tags. Only the state is read back from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.spec import TrialResult, TrialSpec
from harness.store.mlflow.runs import STATE

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param, RunTag

LONGEST_NAME = 250
LONGEST_PARAM = 6000
ITEMS_PER_BATCH = 1000
PARAMS_PER_BATCH = 100
TAGS_PER_BATCH = 100


@dataclass(frozen=True)
class Shown:
    """What is added to a run."""

    params: Sequence[Param] = ()
    metrics: Sequence[Metric] = ()
    tags: Sequence[RunTag] = ()

    def batches(self) -> Iterator[Shown]:
        """The same in parts that MLflow takes in one call each; as few as can be."""
        left = self
        while left.params or left.metrics or left.tags:
            params, tags = left.params[:PARAMS_PER_BATCH], left.tags[:TAGS_PER_BATCH]
            metrics = left.metrics[: ITEMS_PER_BATCH - len(params) - len(tags)]
            yield Shown(params, metrics, tags)
            left = Shown(
                left.params[len(params) :], left.metrics[len(metrics) :], left.tags[len(tags) :]
            )


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


def step_metrics(metrics: Mapping[str, float], epoch: int, time_ms: int) -> list[Metric]:
    """One epoch's metrics; given twice with the same time they are shown once."""
    from mlflow.entities import Metric

    return [Metric(safe_name(name), value, time_ms, epoch) for name, value in metrics.items()]


def final_metrics(result: TrialResult, time_ms: int) -> list[Metric]:
    """The numbers of the selected epoch, under ``final/`` so that no epoch's value hides them."""
    numbers = dict(result.metrics)
    if result.efficiency is not None:
        numbers["parameters"] = float(result.efficiency.parameters)
        numbers["latency_ms"] = result.efficiency.latency.median_ms
    numbers |= {f"seconds/{phase}": value for phase, value in result.seconds.items()}
    return step_metrics({f"final/{name}": value for name, value in numbers.items()}, 0, time_ms)


def result_tags(result: TrialResult) -> list[RunTag]:
    """How the trial ended, where the numbers were made, and why there are none if it failed."""
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
        RunTag(STATE, result.state),
        *(RunTag(safe_name(f"adviserbench.{name}"), cut[:LONGEST_PARAM]) for name, cut in tags.items()),
    ]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and (value or not name):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value if isinstance(value, str) else json.dumps(value)
