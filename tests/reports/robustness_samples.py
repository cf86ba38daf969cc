"""Studies that were asked what becomes of their arms when something is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from report_samples import Study, spec

from harness.spec import Condition, ConditionRecord, VariantRef
from reports.robustness.questions import Question, questions

RANDOM = {"protocol": "random", "rates": (0, 0.5, 1)}
SUBSETS = {"protocol": "subsets"}

Line = Callable[[Condition, int], Mapping[str, float]]


class Asked(Study):
    """A study with protocols, whose arms answer with lines."""

    def __init__(self, *protocols: Mapping[str, Any], seeds: tuple[int, ...] = (0, 1)) -> None:
        super().__init__([], seeds, reference=None)
        self.asks["robustness"] = protocols

    def answers(self, arm: str, line: Line, *views: str, model: str = "tfn", **more: Any) -> None:
        """One more arm: its metrics under a condition and a seed, and what it reads."""
        self.arms = [*self.arms, arm]
        role = more.pop("role", "baseline")
        for seed in self.seeds:
            self.specs[arm, seed] = spec(seed, role=role, model=VariantRef(name=model), **more)
        for seed in self.seeds:
            asked = questions(collected(self).plan.study)
            records = tuple(
                ConditionRecord(condition=condition, metrics=dict(line(condition, seed)))
                for question in asked
                for condition in question.conditions
            )
            self.gives(arm, seed, [1.0, 0.5, 1.0, 0.5], robustness=records, views=views or MULTI)


def put(*protocols: Mapping[str, Any]) -> tuple[Question, ...]:
    """The questions of these protocols."""
    study = Asked(*protocols)
    study.arms = ["nobody"]
    return questions(collected(study).plan.study)


MULTI = ("audio", "text", "vision")


def collected(study: Study) -> Any:
    from reports import collect

    return collect(study.store(), "small")


def mae(*values: float) -> Line:
    """An error for each of the three rates of `RANDOM`, a little more under each further seed."""

    def line(condition: Condition, seed: int) -> dict[str, float]:
        return {"mae": values[round(2 * condition.level)] + 0.1 * seed}

    return line
