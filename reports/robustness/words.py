"""What must be known of robustness measures, and what came of them, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reports.grouping import grouped
from reports.robustness.baseline import Baseline
from reports.robustness.crossings import meetings
from reports.robustness.curves import Panel, panels
from reports.robustness.questions import Question, questions

if TYPE_CHECKING:
    from reports.collect import Records
    from reports.layout import Layout

FILES = "robustness.md, robustness.csv, robustness_summary.csv, robustness_crossings.csv"


def robustness_notes(records: Records, layout: Layout) -> tuple[str, ...]:
    """What was asked and where it stands, and of each protocol where lines cross; empty without any."""
    asked = questions(records.plan.study)
    if not asked:
        return ()
    primary: dict[str, Panel] = {}
    for panel in panels(records, layout):
        primary.setdefault(panel.question.name, panel)
    said = "; ".join(f"{one.name} ({extent(one)})" for one in asked)
    return (
        f"Robustness was measured on the {layout.split} clips under: {said}. It is in {FILES}, and in "
        "a figure for each protocol and metric.",
        *(_crossed(primary[one.name]) for one in asked if one.name in primary),
        *(f"{one.name}: no arm has an answer yet." for one in asked if one.name not in primary),
    )


def extent(question: Question) -> str:
    """``10 levels from 0 to 0.9``, or how many subsets."""
    labels = question.labels
    if not question.has_levels:
        return f"{len(labels)} subsets of {labels[0]}"
    return f"{len(labels)} levels from {labels[0]} to {labels[-1]}"


def standing(panel: Panel) -> str:
    """Which arms no condition moves; empty where there is none."""
    still = [curve.arm for curve in panel.drawn if curve.stands]
    if not still:
        return ""
    verb = "does" if len(still) == 1 else "do"
    return (
        f"{', '.join(still)} {verb} not move: the same numbers, to the last bit, under every condition."
    )


def definitions(baseline: Baseline) -> Iterator[str]:
    """How each measure is made, with its source."""
    yield (
        "A cell is mean ± sample sd over the seeds (column n). The first condition of a protocol "
        "changes nothing; under each other one the same is missing or wrong for every arm."
    )
    yield (
        "Area: under the curve, by trapezoids over the levels, divided by the length of their axis; of "
        "subsets, which have no axis, the mean over all of them. In the metric's own unit."
    )
    yield (
        "Relative robustness, as MultiBench (arXiv 2107.07502) has it: the area, scaled over the arms "
        "of the table so that the best has 1 and the worst 0."
    )
    yield (
        "Effective robustness, as MultiBench has it, after Taori et al. 2020 (arXiv 2007.00644): "
        "Σ f(σ) - [b(σ) + f(0) - b(0)] over all conditions σ, of seed means, f the arm's curve and b "
        "the baseline's; beside it scaled between 0 and 1 like the relative one. Where lower is better, "
        "such as in MAE, both are taken of the negated metric, so that more is better everywhere. "
        f"Baseline: {baseline.words}."
    )
    yield (
        "The columns 'is better' say where an arm that reads one modality has the better seed mean, by "
        "straight lines between measured levels."
    )


def _crossed(panel: Panel) -> str:
    still = standing(panel)
    said = [_beside(panel, single.arm, single.only) for single in panel.single]
    nobody = [] if said else ["no arm with an answer reads one modality only."]
    words = " ".join([*filter(None, said), *nobody, *filter(None, [still])])
    return f"{panel.question.name}, {panel.metric.label}: {words}"


def _beside(panel: Panel, single: str, only: str) -> str:
    multimodal = {curve.arm for curve in panel.drawn if not curve.only}
    found = grouped(
        (one.arm, one.words) for one in meetings(panel) if one.single == single and one.arm in multimodal
    )
    if not found:
        return ""
    said = "; ".join(f"{words} than {', '.join(arms)}" for words, arms in found.items())
    return f"{single} ({only} only) is better: {said}."
