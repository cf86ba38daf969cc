"""How the arms of a table were tuned: what a reader must know of the searches before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from harness.spec import Plan, SearchSettings, SearchStudy
from reports.search.tries import Try, of_arm, searched_arms
from reports.search.words import (
    counted,
    listed,
    metric_of,
    parameters,
    paths_of,
    short_names,
    shown_value,
)

if TYPE_CHECKING:
    from reports.collect import Records


def search_notes(records: Records) -> tuple[str, ...]:
    """How arms were tuned, at which cost, and what was chosen; nothing for a study without searches."""
    plan, tries = records.plan, records.tries
    if not isinstance(plan.study, SearchStudy):
        return ()
    search = plan.study.search
    arms = searched_arms(plan.study)
    return (
        _settings(search),
        *(f"Search of {arm}: {counted(of_arm(tries, arm))}." for arm in arms),
        _epochs(tries),
        *_saved(tries, search),
        *_test_is_untouched(tries),
        *_chosen(plan, tries, search),
    )


def _settings(search: SearchSettings) -> str:
    said = [f"{name} ({metric_of(name).direction} is better)" for name in search.objective]
    return (
        "Every arm was tuned by a search of its own with the same settings: sampler "
        f"{search.sampler.name}, {search.trials} trials an arm, {search.at_once} proposed at once, "
        f"pruner {search.pruner.name}, search seed {search.seed}, objective {listed(said)}. What a "
        "search chose was then trained again under the seeds of this table."
    )


def _epochs(tries: Iterable[Try]) -> str:
    return (
        f"Epochs spent on searches: {sum(one.epochs for one in _each_once(tries))}, those of teachers "
        "not counted; equal proposals are one trial, which runs once."
    )


def _saved(tries: Iterable[Try], search: SearchSettings) -> Iterator[str]:
    """What the pruner saved, by a bound that is certain and by an estimate that is fairer."""
    ended = _each_once(tries)
    pruned = [one for one in ended if one.state == "pruned"]
    complete = [one for one in ended if one.state == "complete"]
    if search.pruner.name == "none":
        return
    if not pruned:
        yield f"The pruner ({search.pruner.name}) gave no trial up."
        return
    spent = sum(one.epochs for one in ended)
    run, bound = sum(one.epochs for one in pruned), sum(one.max_epochs for one in pruned)
    plural = "" if len(pruned) == 1 else "s"
    yield (
        f"The pruner ({search.pruner.name}) gave up {len(pruned)} trial{plural}, which ran {run} of the "
        f"{bound} epochs that their max_epochs allow: {_percent(bound - run, bound)} of these were not "
        f"run, or {_percent(bound - run, spent + bound - run)} of these and the epochs spent together."
        f"{_likely(pruned, complete, spent)}"
    )


def _likely(pruned: Sequence[Try], complete: Sequence[Try], spent: int) -> str:
    if not complete:
        return ""
    mean = sum(one.epochs for one in complete) / len(complete)
    likely = sum(max(0.0, mean - one.epochs) for one in pruned)
    return (
        " Early stopping would have ended some of them too: if each had lasted as long as the mean "
        f"complete trial ({mean:.1f} epochs), {_percent(likely, spent + likely)} of all were saved."
    )


def _test_is_untouched(tries: Iterable[Try]) -> Iterator[str]:
    if not any(one.sees_test for one in tries):
        yield "Test clips were never evaluated in a search: its trials are measured on validation only."


def _chosen(plan: Plan, tries: tuple[Try, ...], search: SearchSettings) -> Iterator[str]:
    by_place = {(one.arm, one.number): one for one in tries}
    names = short_names(paths_of(tries))
    for arm, choice in plan.chosen.items():
        own = ", the study file's values where its space holds them" if choice.number == 0 else ""
        found = by_place.get((choice.arm, choice.number))
        yield (
            f"{arm} is trial #{choice.number} of its search{own}{_reached(found, search)}: "
            f"{parameters(choice.params, names) or 'nothing is searched'}."
        )


def _reached(found: Try | None, search: SearchSettings) -> str:
    if found is None or found.values is None:
        return ""
    said = (
        f"{name} {shown_value(value, name):.{metric_of(name).digits}f}{metric_of(name).unit and ' '}"
        f"{metric_of(name).unit}"
        for name, value in zip(search.objective, found.values, strict=True)
    )
    return f" ({', '.join(said)} there)"


def _each_once(tries: Iterable[Try]) -> list[Try]:
    return list({one.trial_id: one for one in tries}.values())


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "0%"
