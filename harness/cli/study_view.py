"""How the state of studies is put into words: tables for people, JSON for programs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cli.durations import duration
from harness.cli.progress.words import machine, measured
from harness.spec import Frozen
from harness.study.status import TRIAL_STATES, SearchStatus, StudyStatus, TrialState, TrialStatus


@dataclass(frozen=True)
class Sheet:
    """A table of words."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def headline(status: StudyStatus) -> str:
    """The study's name and totals in one line."""
    counts = [f"{status.counts[state]} {state}" for state in TRIAL_STATES if status.counts[state]]
    more = " so far" if status.is_open else ""
    undelivered = f"; {status.undelivered} wait for the store" if status.undelivered else ""
    return f"{status.study}: {len(status.trials)} trials{more}: {', '.join(counts)}{undelivered}"


def sheets(status: StudyStatus, *, every_trial: bool) -> Iterator[Sheet]:
    """The tables there is anything for: arms, searches, who has what, failures, every trial."""
    states = tuple(state for state in TRIAL_STATES if status.counts[state])
    if status.arms:
        rows = [(one.arm, *_numbers(one.counts, states)) for one in status.arms]
        yield Sheet(("arm", *states), tuple(rows))
    if status.searches:
        rows = [_search(one, states) for one in status.searches]
        yield Sheet(("search", "trials", *states, "best"), tuple(rows))
    held = [trial for trial in status.trials if trial.owner is not None]
    if held and not every_trial:
        yield Sheet(("trial", "", "state", "by", "for", "heard of for"), tuple(map(_held, held)))
    if status.failures:
        rows = [(one.trial_id, one.label, one.reason) for one in status.failures]
        yield Sheet(("failed", "", "why"), tuple(rows))
    if every_trial:
        yield Sheet(("trial", "", "state", "by", "for", ""), tuple(map(_every, status.trials)))


def as_data(status: StudyStatus, *, every_trial: bool) -> dict[str, Any]:
    """The same for programs, all of it JSON."""
    found: dict[str, Any] = {
        "study": status.study,
        "title": status.title,
        "open": status.is_open,
        "counts": {state: status.counts[state] for state in TRIAL_STATES},
        "undelivered": status.undelivered,
        "arms": [vars(one) for one in status.arms],
        "searches": [vars(one) for one in status.searches],
        "failures": [vars(one) for one in status.failures],
    }
    shown = [one for one in status.trials if every_trial or one.owner is not None]
    return {**found, "trials": [_plain(one) for one in shown]}


def _plain(trial: TrialStatus) -> dict[str, Any]:
    return {
        key: value.model_dump() if isinstance(value, Frozen) else value
        for key, value in vars(trial).items()
    }


def _numbers(counts: Mapping[TrialState, int], states: Sequence[TrialState]) -> tuple[str, ...]:
    return tuple(str(counts.get(state) or "") for state in states)


def _search(search: SearchStatus, states: Sequence[TrialState]) -> tuple[str, ...]:
    best = ""
    if search.values is not None:
        values = [
            measured(name, value) for name, value in zip(search.objectives, search.values, strict=True)
        ]
        best = f"#{search.best[0]} {', '.join(values)}"
    if len(search.objectives) > 1 and search.best:
        best = f"front of {len(search.best)}: {', '.join(f'#{number}' for number in search.best)}"
    chosen = " (chosen)" if search.has_chosen else ""
    trials = f"{search.proposed} of {search.budget}"
    return (search.arm, trials, *_numbers(search.counts, states), best + chosen)


def _held(trial: TrialStatus) -> tuple[str, ...]:
    *first, _ = _every(trial)
    until = "" if trial.expires is None else duration(trial.expires - time.time())
    return (*first, f"{until} more")


def _every(trial: TrialStatus) -> tuple[str, ...]:
    by = "" if trial.owner is None else f"{machine(trial.owner)}:{trial.owner.pid}"
    spent = "" if trial.since is None else duration(time.time() - trial.since)
    waits = "waits for the store" if trial.is_undelivered else ""
    return trial.trial_id, trial.label, trial.state, by, spent, waits
