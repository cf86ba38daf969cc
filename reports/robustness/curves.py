"""The line of every arm over the conditions of a protocol, in one metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.spec import METRICS, Condition, ConditionRecord, MetricSpec, TrialResult
from reports.readers import only_modality
from reports.robustness.questions import Question, questions
from reports.statistics import Floats, SeedSummary, seed_summary

if TYPE_CHECKING:
    from reports.collect import Records
    from reports.layout import Layout

CURVES = ("mae", "corr", "acc2_non0", "f1_non0", "acc7")
"""Metrics that have a curve, where the layout has them as columns and the records as numbers."""


@dataclass(frozen=True)
class Curve:
    """One arm's line.

    Attributes:
        only: the modality of an arm that reads one; empty for all others.
        stands_in: whether it is an arm that one would use instead of the others where something is
            missing: of one modality, and neither a teacher nor a control.
        stands: whether no condition moves any metric of the records, in any seed, by a single bit.
        seeds: (n, conditions), a row for every seed that answered the whole question.
    """

    arm: str
    only: str
    stands_in: bool
    stands: bool
    seeds: Floats

    @property
    def summaries(self) -> tuple[SeedSummary, ...]:
        """Mean, spread and number of each condition."""
        return tuple(seed_summary(column) for column in self.seeds.T)

    @property
    def means(self) -> Floats:
        """(conditions,) over seeds; NaN where there are none."""
        return np.asarray([one.mean for one in self.summaries], dtype=np.float64)


@dataclass(frozen=True)
class Panel:
    """One question in one metric: the lines of all arms, in the order of the table."""

    question: Question
    metric: MetricSpec
    curves: tuple[Curve, ...]

    @property
    def sign(self) -> int:
        """1 where higher is better, else -1."""
        return 1 if self.metric.direction == "higher" else -1

    @property
    def drawn(self) -> tuple[Curve, ...]:
        """The arms that have numbers."""
        return tuple(curve for curve in self.curves if len(curve.seeds))

    @property
    def single(self) -> tuple[Curve, ...]:
        """Those of them that others are held against: students and baselines of one modality."""
        return tuple(curve for curve in self.drawn if curve.stands_in)


def panels(records: Records, layout: Layout) -> tuple[Panel, ...]:
    """Every question of the study in every metric that its records have."""
    columns = [column.metric for column in layout.columns]
    return tuple(
        Panel(question, METRICS[name], tuple(_curves(records, question, name)))
        for question in questions(records.plan.study)
        for name in columns
        if name in CURVES and name in _known(records, question)
    )


def _curves(records: Records, question: Question, metric: str) -> Iterator[Curve]:
    for arm in records.arms:
        answers = [answer for _, result in records.complete(arm) if (answer := _of(result, question))]
        spec = records.of(arm)[0].spec
        rows = [[one.metrics.get(metric, np.nan) for one in answer] for answer in answers]
        yield Curve(
            arm=arm,
            only=(only := only_modality(records, arm)),
            stands_in=bool(only) and spec.role != "teacher" and spec.control == "none",
            stands=bool(answers) and all(_stands(answer) for answer in answers),
            seeds=np.asarray(rows, dtype=np.float64).reshape(len(rows), len(question.conditions)),
        )


def _of(result: TrialResult, question: Question) -> tuple[ConditionRecord, ...]:
    """The records of the question's conditions; empty unless all of them are there."""
    found: dict[Condition, ConditionRecord] = {one.condition: one for one in result.robustness}
    if not found.keys() >= set(question.conditions):
        return ()
    return tuple(found[condition] for condition in question.conditions)


def _stands(answer: tuple[ConditionRecord, ...]) -> bool:
    # By their digits, so that an undefined correlation equals itself.
    return len({repr(sorted(one.metrics.items())) for one in answer}) == 1


def _known(records: Records, question: Question) -> frozenset[str]:
    return frozenset(
        name
        for arm in records.arms
        for _, result in records.complete(arm)
        for one in _of(result, question)
        for name in one.metrics
    )
