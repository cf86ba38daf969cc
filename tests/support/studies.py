"""Studies on the toy clips, as the plain containers that a YAML file holds."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from trials import BASELINE, STUDENT, TEACHER

from harness.spec import Plan, State, TrialResult
from harness.store.claims import Claim
from harness.study.launch.base import Event

OPTIMISATION = {"max_epochs": 2, "batch_size": 8}

ABLATION: dict[str, Any] = {
    "kind": "ablation",
    "name": "toy",
    "data": {"name": "toy"},
    "seeds": [0, 1],
    "reference": "alone",
    "runtime": {"threads": 1, "latency_seconds": 0.01},
    "base": {
        "teacher": {
            "model": TEACHER,
            "losses": {"task_ce": {}, "task_l1": {}, "step1": {}},
            "optimisation": OPTIMISATION,
        },
        "student": {
            "model": STUDENT,
            "losses": {"task_l1": {"weight": 0.5}, "step2": {}},
            "optimisation": OPTIMISATION,
        },
        "baseline": {"model": BASELINE, "losses": {"task_l1": {}}, "optimisation": OPTIMISATION},
    },
    "arms": {
        "teacher": {"role": "teacher"},
        "alone": {"student": {"losses": {"step2": None}}},
        "both_steps": {},
        "shuffled": {"control": "shuffled"},
        "fusion": {"role": "baseline"},
    },
}


def ablation(*overrides: str) -> dict[str, Any]:
    """The toy ablation, changed by dotted overrides."""
    merged = OmegaConf.merge(
        OmegaConf.create(deepcopy(ABLATION)), OmegaConf.from_dotlist(list(overrides))
    )
    content = OmegaConf.to_container(merged)
    assert isinstance(content, dict)
    return content


def grid(axes: dict[str, list[Any]], *overrides: str) -> dict[str, Any]:
    """The toy base under axes."""
    content = ablation("kind=grid", *overrides)
    del content["arms"], content["reference"]
    return {**content, "axes": axes}


def write(content: dict[str, Any], path: Path) -> Path:
    """The study as a YAML file."""
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


class Diary:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.results: list[TrialResult] = []
        self.faults: list[str] = []
        self.plan: Plan | None = None
        self.already = -1

    def found(self, data: str, findings: tuple[str, ...]) -> None:
        pass

    def planned(self, plan: Plan, states: Mapping[str, State], workers: int) -> None:
        self.plan = plan
        self.already = len(states) if self.already < 0 else self.already

    def event(self, event: Event) -> None:
        self.events.append(event)

    def finished(self, result: TrialResult) -> None:
        self.results.append(result)

    def elsewhere(self, claims: Mapping[str, Claim], states: Mapping[str, State]) -> None:
        pass

    def buffered(self, count: int, fault: str) -> None:
        self.faults.append(fault)

    def said(self, line: str) -> None:
        pass
