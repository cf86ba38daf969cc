"""Which trial of a store is meant, and its model as it was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.registry import discover
from harness.spec import BadInput, TrialResult, nearest
from harness.store import ResultStore

if TYPE_CHECKING:
    from harness.engine.trained import TrainedModel

SHOWN = 3


def find_trial(store: ResultStore, given: str) -> TrialResult:
    """The complete trial of that id, the only one whose id begins so, or that of ``STUDY/ARM/SEED``.

    Without a seed it is the arm's first.

    Raises:
        BadInput: with key ``TRIAL``: there is none or there are several, or it is not complete.
    """
    trial = _of_arm(store, given) if "/" in given else _of_id(store, given)
    result = store.get(trial)
    named = given if given == trial else f"{given} ({trial})"
    if result is None:
        raise BadInput(f"{named} has no result yet; run its study to the end", key="TRIAL")
    if result.failure is not None:
        raise BadInput(f"{named} failed: {result.failure.message}", key="TRIAL")
    if result.state != "complete":
        raise BadInput(f"{named} is {result.state}, expected a complete trial", key="TRIAL")
    return result


def load_trained(store: ResultStore, trial: str, plugins: Sequence[str] = ()) -> TrainedModel:
    """The trained model of a trial; the data set is not needed.

    Args:
        store: where its record and its files are.
        trial: as `find_trial` takes it.
        plugins: modules that register variants.

    Raises:
        BadInput: the trial cannot be told or is not complete, or a file of it is not stored.
    """
    result = find_trial(store, trial)
    discover(plugins)
    # Here, not on top: a mistyped trial needs no torch.
    from harness.engine.info_file import INFO_FILE
    from harness.engine.trained import rebuild
    from harness.engine.trial import CHECKPOINT_FILE, TOKENIZER_FILE

    checkpoint = _file(
        store, result, CHECKPOINT_FILE, "it was imported without; export its study with checkpoints"
    )
    info = _file(store, result, INFO_FILE, "revisions before 'export' left none; forget it by 'retry'")
    return rebuild(result, checkpoint, info, store.artifact(result.trial_id, TOKENIZER_FILE))


def _file(store: ResultStore, result: TrialResult, name: str, why: str) -> Path:
    path = store.artifact(result.trial_id, name)
    if path is None:
        raise BadInput(f"{result.trial_id} has no {name}: {why}, or run the study again", key="TRIAL")
    return path


def _of_id(store: ResultStore, given: str) -> str:
    trials = store.trials()
    if given in trials:
        return given
    fitting = sorted(trial for trial in trials if given and trial.startswith(given))
    if len(fitting) > 1:
        more = ", …" if len(fitting) > SHOWN else ""
        raise BadInput(
            f"{len(fitting)} trials begin with '{given}': {', '.join(fitting[:SHOWN])}{more}",
            key="TRIAL",
        )
    if not fitting:
        plan = store.plan(given)
        if plan is not None:
            arms = ", ".join(dict.fromkeys(member.arm for member in plan.members))
            raise BadInput(f"'{given}' is a study; expected {given}/ARM with one of {arms}", key="TRIAL")
        raise BadInput(
            f"no trial's id begins with '{given}'; {nearest(given, trials)}; or give STUDY/ARM",
            key="TRIAL",
        )
    return fitting[0]


def _of_arm(store: ResultStore, given: str) -> str:
    study, arm, seed = (*given.split("/", 2), None)[:3]
    plan = store.plan(str(study))
    if plan is None:
        raise BadInput(
            f"no study '{study}' in this store; {nearest(str(study), store.studies())}", key="TRIAL"
        )
    members = [member for member in plan.members if member.arm == arm]
    if not members:
        known = dict.fromkeys(member.arm for member in plan.members)
        raise BadInput(f"no arm '{arm}' in study '{study}'; {nearest(str(arm), known)}", key="TRIAL")
    of_seed = [member for member in members if seed is None or str(member.seed) == seed]
    if not of_seed:
        seeds = ", ".join(str(member.seed) for member in members)
        raise BadInput(f"'{arm}' of '{study}' has no seed {seed}; known: {seeds}", key="TRIAL")
    return of_seed[0].trial_id
