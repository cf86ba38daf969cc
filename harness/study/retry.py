"""Taking results away, so that their trials are run again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.spec import BadInput, Plan, SearchStudy, SearchTrial, nearest
from harness.store import BufferedStore
from harness.store.claims import Claim, Claims

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_trials(plan: Plan, given: Sequence[str]) -> tuple[str, ...]:
    """The trials whose ids begin with what is given, each the only one that does.

    Raises:
        BadInput: with key ``TRIAL``: there is none, or there are several.
    """
    found = []
    for start in given:
        fitting = [trial for trial in plan.trials if trial.startswith(start)]
        if not fitting:
            raise BadInput(
                f"no trial of '{plan.study.name}' begins with '{start}'; {nearest(start, plan.trials)}",
                key="TRIAL",
            )
        if len(fitting) > 1 and start not in plan.trials:
            shown = ", ".join(fitting[:3]) + (", …" if len(fitting) > 3 else "")
            raise BadInput(f"{len(fitting)} trials begin with '{start}': {shown}", key="TRIAL")
        found.append(start if start in plan.trials else fitting[0])
    return tuple(dict.fromkeys(found))


def retry(
    plan: Plan, store: BufferedStore, claims: Claims, named: Sequence[str] = ()
) -> tuple[str, ...]:
    """Forgets the results of trials and gives their ids: all that failed, or those that are named.

    Named trials may also be complete or pruned. Failed ones that a runner has taken up again already
    are left to it, and those of a search's ended rounds stay as they are: later trials were proposed
    from them.

    Raises:
        BadInput: with key ``TRIAL``: a named trial is not known, has no result, is being run, or
            belongs to an ended round of a search.
    """
    states = store.states(plan.trials)
    settled = _settled(plan, states.keys())
    if named:
        trials = find_trials(plan, named)
        for trial in trials:
            _check(trial, states.keys(), settled)
    else:
        failed = (trial for trial in plan.trials if states.get(trial) == "failed")
        trials = tuple(trial for trial in failed if trial not in settled)
    with _taken(trials, claims, needs_all=bool(named)) as ours:
        store.forget(ours)
    return ours


def busy(trial: str, claim: Claim) -> BadInput:
    """That a trial is somebody's now."""
    owner = claim.owner
    what = "is being run" if claim.is_running else "is claimed"
    return BadInput(
        f"{trial} {what} by process {owner.pid} on {owner.host.partition('#')[0]}; "
        "wait for it, or end it first",
        key="TRIAL",
    )


def _check(trial: str, ended: Iterable[str], settled: dict[str, SearchTrial]) -> None:
    if trial not in ended:
        raise BadInput(f"{trial} has no result that could be forgotten", key="TRIAL")
    if trial in settled:
        of = settled[trial]
        raise BadInput(
            f"{trial} is #{of.number} of the search of '{of.arm}', whose round has ended: what was "
            "proposed since then rests on its result; another search.seed searches anew",
            key="TRIAL",
        )


def _settled(plan: Plan, ended: Iterable[str]) -> dict[str, SearchTrial]:
    """The trials of rounds that have ended."""
    if not isinstance(plan.study, SearchStudy):
        return {}
    size, known = plan.study.search.at_once, frozenset(ended)
    open_rounds = {
        (trial.arm, trial.number // size) for trial in plan.searches if trial.trial_id not in known
    }
    return {
        trial.trial_id: trial
        for trial in plan.searches
        if (trial.arm, trial.number // size) not in open_rounds
    }


@contextmanager
def _taken(trials: Sequence[str], claims: Claims, *, needs_all: bool) -> Iterator[tuple[str, ...]]:
    """Keeps runners away from the trials while the block runs; gives those that were free."""
    ours: list[str] = []
    try:
        for trial in trials:
            if claims.take(trial):
                ours.append(trial)
            elif needs_all:
                claim = claims.live([trial]).get(trial)
                raise (
                    BadInput(f"{trial} is being run", key="TRIAL")
                    if claim is None
                    else busy(trial, claim)
                )
        yield tuple(ours)
    finally:
        for trial in ours:
            claims.release(trial)
