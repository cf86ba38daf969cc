"""A study's searches as Markdown and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.spec import Plan, SearchSettings, SearchStudy
from reports.grouping import grouped
from reports.search.best import best
from reports.search.notes import search_notes
from reports.search.reruns import Rerun, reruns
from reports.search.tries import Try, of_arm, searched_arms
from reports.search.warnings import search_warnings
from reports.search.words import (
    metric_of,
    objective_label,
    parameter,
    paths_of,
    short_names,
    shown_value,
)
from reports.text import DASH, markdown

if TYPE_CHECKING:
    from reports.collect import Records


def search_markdown(records: Records, study: SearchStudy) -> str:
    """Every trial of every search with its notes; the best are bold, the chosen ones marked."""
    frame = pd.DataFrame(_words(records, study))
    body = frame.to_markdown(index=False, disable_numparse=True) if len(frame) else "No trial yet."
    warnings = "\n".join(f"- **Warning:** {markdown(one)}" for one in search_warnings(records))
    said = (
        f"Bold is {'the best' if len(study.search.objective) == 1 else 'the Pareto front'} of a search; "
        "✓ marks what was chosen; trial 0 has the study file's values where its space holds them.",
        *search_notes(records),
        *_failures(records.tries),
    )
    notes = "\n".join(f"- {markdown(note)}" for note in said)
    parts = (f"## Searches of {markdown(study.title or study.name)}", body, warnings, notes)
    return "\n\n".join(part for part in parts if part) + "\n"


def search_csv(records: Records, study: SearchStudy) -> str:
    """A row a trial, unrounded; an empty field is a value that the trial does not have."""
    paths = paths_of(records.tries)
    leading, chosen = leaders(records.tries, study), choices(records.plan)
    rows: list[dict[str, object]] = [
        {
            "study": study.name,
            "arm": one.arm,
            "number": one.number,
            "state": one.state,
            "epochs": one.epochs,
            "max_epochs": one.max_epochs,
            **{name: _number(one, place) for place, name in enumerate(study.search.objective)},
            "best": (one.arm, one.number) in leading,
            "chosen": (one.arm, one.number) in chosen,
            **{path: _raw(one.params[path]) if path in one.params else None for path in paths},
            "trial_id": one.trial_id,
        }
        for one in records.tries
    ]
    heads = ["study", "arm", "number", "state", "epochs", "max_epochs", *study.search.objective]
    return _csv(rows, [*heads, "best", "chosen", *paths, "trial_id"])


def front_csv(records: Records, study: SearchStudy) -> str:
    """The Pareto front of every arm, and what came of its points under fresh seeds, on validation."""
    leading = leaders(records.tries, study)
    again = {(one.searched, one.number): one for one in reruns(records)}
    rows = []
    for one in records.tries:
        if (one.arm, one.number) in leading:
            row = {"study": study.name, "arm": one.arm, "number": one.number, "trial_id": one.trial_id}
            row |= {name: _number(one, place) for place, name in enumerate(study.search.objective)}
            rows.append(row | _again(again.get((one.arm, one.number)), study.search))
    heads = ["study", "arm", "number", "trial_id", *study.search.objective]
    return _csv(rows, [*heads, *_again(None, study.search)])


def leaders(tries: Sequence[Try], study: SearchStudy) -> frozenset[tuple[str, int]]:
    """Arm and number of the best, or of the front, of each search."""
    return frozenset(
        (one.arm, one.number)
        for arm in searched_arms(study)
        for one in best(of_arm(tries, arm), study.search)
    )


def choices(plan: Plan) -> frozenset[tuple[str, int]]:
    """Arm and number of the trials whose values are run again."""
    return frozenset((choice.arm, choice.number) for choice in plan.chosen.values())


def _words(records: Records, study: SearchStudy) -> Iterator[dict[str, str]]:
    leading, chosen = leaders(records.tries, study), choices(records.plan)
    names = short_names(paths_of(records.tries))
    for one in records.tries:
        place = (one.arm, one.number)
        mark = "**{}**" if place in leading else "{}"
        yield {
            "arm": markdown(one.arm),
            "#": mark.format(one.number) + (" ✓" if place in chosen else ""),
            "state": one.state,
            "epochs": f"{one.epochs}/{one.max_epochs}",
            **{
                markdown(objective_label(name)): _shown(one, index, name, mark)
                for index, name in enumerate(study.search.objective)
            },
            **{
                markdown(name): markdown(parameter(one.params[path])) if path in one.params else DASH
                for path, name in names.items()
            },
        }


def _failures(tries: Sequence[Try]) -> list[str]:
    reasons = grouped((f"{one.arm} #{one.number}", one.failure) for one in tries if one.failure)
    return [f"Failed with {reason}: {', '.join(places)}." for reason, places in reasons.items()]


def _shown(one: Try, index: int, objective: str, mark: str) -> str:
    if one.values is None:
        return DASH
    value = shown_value(one.values[index], objective)
    return mark.format(f"{value:.{metric_of(objective).digits}f}")


def _again(found: Rerun | None, search: SearchSettings) -> dict[str, object]:
    fields: dict[str, object] = {"chosen": found is not None, "row": found.arm if found else None}
    for index, name in enumerate(search.objective):
        summary = found.values[index] if found else None
        known = summary is not None and summary.n > 0
        fields[f"again_{name}_mean"] = repr(summary.mean) if summary and known else None
        fields[f"again_{name}_sd"] = repr(summary.sd) if summary and summary.n > 1 else None
        fields[f"again_{name}_n"] = str(summary.n) if summary else None
    return fields


def _number(one: Try, place: int) -> str | None:
    return None if one.values is None else repr(one.values[place])


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _csv(rows: list[dict[str, object]], heads: list[str]) -> str:
    return pd.DataFrame(rows, columns=heads).to_csv(index=False, lineterminator="\n")
