"""Robustness as Markdown and CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from reports.robustness.baseline import Baseline
from reports.robustness.crossings import meetings
from reports.robustness.curves import Panel
from reports.robustness.measures import Measures, measures
from reports.robustness.words import definitions, standing
from reports.statistics import SeedSummary
from reports.text import DASH, markdown

if TYPE_CHECKING:
    from reports.collect import Records


def robustness_markdown(records: Records, found: Sequence[Panel], baseline: Baseline) -> str:
    """Of every protocol and metric the curves in numbers, and the measures below them."""
    study = records.plan.study
    notes = "\n".join(f"- {markdown(note)}" for note in definitions(baseline))
    parts = [f"## Robustness of {markdown(study.title or study.name)}", notes]
    said: set[str] = set()
    for panel in found:
        question = panel.question
        if question.name not in said:
            said.add(question.name)
            parts.append(f"### {markdown(question.name)}: {markdown(question.axis)}")
            parts.append(markdown(standing(panel)))
        parts.append(f"#### {panel.metric.label} {panel.metric.arrow}")
        parts += [_grid(_levels(panel)), _grid(_summary(panel, baseline))]
    if not found:
        parts.append("No arm has an answer yet.")
    return "\n\n".join(part for part in parts if part) + "\n"


def robustness_csv(records: Records, found: Sequence[Panel]) -> str:
    """A row for each protocol, metric, arm and condition, unrounded; empty where there is no number."""
    rows = [
        {
            **_place(records, panel, curve.arm),
            "reads_only": curve.only,
            "condition": condition.name,
            "present": " ".join(condition.modalities) if not panel.question.has_levels else None,
            "level": repr(condition.level) if panel.question.has_levels else None,
            **_raw("", summary),
        }
        for panel in found
        for curve in panel.curves
        for condition, summary in zip(panel.question.conditions, curve.summaries, strict=True)
    ]
    heads = [*_PLACE, "reads_only", "condition", "present", "level", "mean", "sd", "n"]
    return _csv(rows, heads)


def summary_csv(records: Records, found: Sequence[Panel], baseline: Baseline) -> str:
    """A row for each protocol, metric and arm: its measures."""
    rows = []
    for panel in found:
        own = measures(panel, baseline.arm)
        for curve in panel.drawn:
            one = own[curve.arm]
            rows.append(
                {
                    **_place(records, panel, curve.arm),
                    **_raw("area_", one.area),
                    "relative": repr(one.relative),
                    "effective": repr(one.effective),
                    "effective_scaled": repr(one.effective_scaled),
                    "effective_baseline": baseline.arm,
                    "moves": not curve.stands,
                }
            )
    measured = ["relative", "effective", "effective_scaled", "effective_baseline", "moves"]
    return _csv(rows, [*_PLACE, "area_mean", "area_sd", "area_n", *measured])


def crossings_csv(records: Records, found: Sequence[Panel]) -> str:
    """A row for each protocol, metric, arm and arm of one modality: where their lines cross."""
    rows = [
        {
            **_place(records, panel, one.arm),
            "single": one.single,
            "single_is_better": one.words,
            "levels": " ".join(repr(crossing.level) for crossing in one.crossings),
        }
        for panel in found
        for one in meetings(panel)
    ]
    return _csv(rows, [*_PLACE, "single", "single_is_better", "levels"])


_PLACE = ["study", "protocol", "metric", "direction", "arm"]


def _place(records: Records, panel: Panel, arm: str) -> dict[str, object]:
    metric = panel.metric
    place = (records.plan.study.name, panel.question.name, metric.name, metric.direction, arm)
    return dict(zip(_PLACE, place, strict=True))


def _levels(panel: Panel) -> list[dict[str, str]]:
    digits = panel.metric.digits
    return [
        {
            "arm": markdown(_named(panel, curve.arm)),
            "n": str(len(curve.seeds)),
            **{
                label: _cell(summary, digits)
                for label, summary in zip(panel.question.labels, curve.summaries, strict=True)
            },
        }
        for curve in panel.curves
    ]


def _summary(panel: Panel, baseline: Baseline) -> list[dict[str, str]]:
    own, met = measures(panel, baseline.arm), meetings(panel)
    beside = {(one.arm, one.single): one.words for one in met}
    return [
        {
            "arm": markdown(_named(panel, curve.arm)),
            f"area {panel.metric.arrow}": _cell(own[curve.arm].area, panel.metric.digits),
            "relative ↑": _number(own[curve.arm].relative, "{:.2f}"),
            **_effective(own[curve.arm]),
            **{
                f"{markdown(single.arm)} is better": beside.get((curve.arm, single.arm), DASH)
                for single in panel.single
            },
        }
        for curve in panel.drawn
    ]


def _effective(one: Measures) -> dict[str, str]:
    return {
        "effective ↑": _number(one.effective, "{:+.3f}"),
        "effective, scaled ↑": _number(one.effective_scaled, "{:.2f}"),
    }


def _named(panel: Panel, arm: str) -> str:
    only = {curve.arm: curve.only for curve in panel.curves}[arm]
    return f"{arm} ({only} only)" if only else arm


def _cell(summary: SeedSummary, digits: int) -> str:
    if summary.n == 0:
        return DASH
    words = "NaN" if math.isnan(summary.mean) else f"{summary.mean:.{digits}f}"
    return words if math.isnan(summary.sd) else f"{words} ± {summary.sd:.{digits}f}"


def _number(value: float, words: str) -> str:
    return DASH if math.isnan(value) else words.format(value)


def _raw(prefix: str, summary: SeedSummary) -> dict[str, object]:
    return {
        f"{prefix}mean": repr(summary.mean) if summary.n else None,
        f"{prefix}sd": repr(summary.sd) if summary.n > 1 else None,
        f"{prefix}n": summary.n,
    }


def _grid(rows: list[dict[str, str]]) -> str:
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True) if rows else ""


def _csv(rows: list[dict[str, object]], heads: list[str]) -> str:
    return pd.DataFrame(rows, columns=heads).to_csv(index=False, lineterminator="\n")
