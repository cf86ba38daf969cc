"""A study in one file: carried to another machine, it can be reported on there and gone on with."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.spec import STUDY_ADAPTER, BadInput, Plan, State, TrialResult, nearest
from harness.store.base import ResultStore, StoreFault
from harness.store.record import PREDICTIONS, RECORD, read_predictions, write_predictions
from harness.store.sealed import SealedReader, SealedWriter, reading, writing

_PLAN = "plan.json"
_TRIALS = "trials"
_FILES = "files"

# No separator, no drive, nothing hidden: a name that stays in the folder it is put into.
_PLAIN = r"[^/\\:.\x00-\x1f][^/\\:\x00-\x1f]*"
_MEMBER = re.compile(
    rf"{_TRIALS}/(?P<trial>{_PLAIN})/({re.escape(RECORD)}|{re.escape(PREDICTIONS)}"
    rf"|{_FILES}/{_PLAIN})"
)

_WORTH: dict[State | None, int] = {None: 0, "failed": 1, "pruned": 2, "complete": 3}
"""Of two results of a trial that of the higher worth is kept."""


@dataclass(frozen=True)
class ImportedStudy:
    """What an import did.

    Attributes:
        name: what the study is called in the store.
        new: how many trials the store did not have, or not as well.
        present: how many it had.
    """

    name: str
    new: int
    present: int


def export_study(store: ResultStore, study: str, path: Path, *, files: bool = True) -> int:
    """Writes the plan and all finished trials to one file; gives how many trials those are.

    The same results give the same bytes. The history that Optuna has of a search is not in it: that
    is made again from the trials.

    Args:
        store: Where the study is.
        study: Its name.
        path: The file, which is replaced if it is an older export.
        files: Whether checkpoints and teachers' outputs go along. A report needs none of them; going
            on with a study trains the teachers again whose outputs are missing.

    Raises:
        BadInput: There is no such study, or the file cannot be written.
    """
    plan = store.plan(study)
    if plan is None:
        raise BadInput(
            f"no study '{study}' in this store; {nearest(study, store.studies())}", key="STUDY"
        )
    with writing(path) as archive:
        archive.add(_PLAN, plan.model_dump_json().encode())
        return sum(_export(store, trial, archive, files=files) for trial in sorted(plan.trials))


def import_study(store: ResultStore, path: Path, name: str | None = None) -> ImportedStudy:
    """Adds the study of an exported file to the store, under its own or the given name.

    Nothing that is complete in the store is changed: a trial is added if the store has no result of
    it, or one that is worth less (failed, then pruned, then complete). A study of that name may be
    there already if the trials of one of the two contain those of the other; then the larger plan is
    kept, and of two equal ones that of the store. Importing again what was interrupted adds the rest.

    Raises:
        BadInput: The file is no export of this version or was changed, or another study has the name;
            nothing was added then.
    """
    with reading(path) as archive:
        plan = _named(_plan(archive, path), name)
        members = _members(archive)
        states = _states(archive, members, plan, path)
        _open(store, plan, path)
        new = _missing(store, states)
        for trial in (trial for trial in plan.trials if trial in new):
            _import(store, plan.study.name, archive, members[trial])
    return ImportedStudy(plan.study.name, len(new), len(states) - len(new))


def _export(store: ResultStore, trial: str, archive: SealedWriter, *, files: bool) -> bool:
    """Whether the trial has finished; then it is in the archive now, its members sorted."""
    result = store.get(trial)
    if result is None:
        return False
    folder = f"{_TRIALS}/{trial}"
    for name in store.files(trial) if files else ():
        kept = store.artifact(trial, name)
        if kept is not None:
            archive.add(f"{folder}/{_FILES}/{name}", kept)
    predictions = store.predictions(trial)
    if predictions is not None:
        with tempfile.TemporaryDirectory() as scratch:
            archive.add(f"{folder}/{PREDICTIONS}", write_predictions(predictions, Path(scratch)))
    archive.add(f"{folder}/{RECORD}", result.model_dump_json(indent=1).encode())
    return True


def _plan(archive: SealedReader, path: Path) -> Plan:
    for name in archive.names:
        if name != _PLAN and not _MEMBER.fullmatch(name):
            raise BadInput(f"'{name}' is no part of a study", file=path)
    try:
        return Plan.parse(archive.read(_PLAN))
    except KeyError as error:
        raise BadInput(f"{_PLAN} is missing", file=path) from error
    except ValidationError as error:
        raise _other_version(_PLAN, path) from error


def _named(plan: Plan, name: str | None) -> Plan:
    if name is None:
        return plan
    try:
        study = STUDY_ADAPTER.validate_python({**plan.study.model_dump(), "name": name})
    except ValidationError as error:
        raise BadInput(
            f"given '{name}', expected lower-case letters, digits, '.', '_' and '-'", key="--as"
        ) from error
    return plan.model_copy(update={"study": study})


def _members(archive: SealedReader) -> dict[str, list[str]]:
    """The names of each trial's members."""
    members: dict[str, list[str]] = {}
    for match in map(_MEMBER.fullmatch, archive.names):
        if match is not None:
            members.setdefault(match["trial"], []).append(match[0])
    return members


def _states(
    archive: SealedReader, members: dict[str, list[str]], plan: Plan, path: Path
) -> dict[str, State]:
    """How the trials of the archive ended; all records are read before anything is added."""
    states: dict[str, State] = {}
    for trial, names in members.items():
        member = f"{_TRIALS}/{trial}/{RECORD}"
        if trial not in plan.trials or member not in names:
            raise BadInput(f"trial '{trial}' is not in the plan or has no {RECORD}", file=path)
        try:
            result = TrialResult.model_validate_json(archive.read(member))
        except ValidationError as error:
            raise _other_version(member, path) from error
        if result.trial_id != trial:
            raise BadInput(f"{member} is the record of '{result.trial_id}'", file=path)
        states[trial] = result.state
    return states


def _open(store: ResultStore, plan: Plan, path: Path) -> None:
    there = store.plan(plan.study.name)
    if there is None or (_is_within(there, plan) and not _is_within(plan, there)):
        store.open_study(plan)
    elif not _is_within(plan, there):
        raise BadInput(
            f"the store has another study '{plan.study.name}': {len(there.trials)} trials there, "
            f"{len(plan.trials)} here, {len(there.trials.keys() & plan.trials.keys())} in both; "
            "choose another name with --as NAME",
            file=path,
        )


def _is_within(small: Plan, large: Plan) -> bool:
    """Whether the second plan has all that the first has; of two with equal trials a closed one has."""
    if small.trials.keys() == large.trials.keys():
        return small.is_open or not large.is_open
    return small.trials.keys() < large.trials.keys()


def _missing(store: ResultStore, states: dict[str, State]) -> frozenset[str]:
    complete, ended = store.complete(states), store.states(states)
    # One that ended as complete and is not is damaged: it is worth nothing.
    kept = {trial: state for trial, state in ended.items() if state != "complete" or trial in complete}
    return frozenset(trial for trial, state in states.items() if _WORTH[state] > _WORTH[kept.get(trial)])


def _import(store: ResultStore, study: str, archive: SealedReader, members: list[str]) -> None:
    try:
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / _FILES).mkdir()
            copies: dict[str, Path] = {}
            for member in members:
                name = member.split("/", 2)[2]
                copies[name] = archive.extract(member, Path(scratch) / name)
            result = TrialResult.model_validate_json(copies.pop(RECORD).read_bytes())
            predictions = read_predictions(copies.pop(PREDICTIONS, None))
            files = {copy.name: copy for copy in copies.values()}
            store.begin(study, result.trial_id, result.spec)
            store.finish(result, predictions, files)
    except StoreFault:
        raise
    except OSError as error:
        raise StoreFault(f"{error.strerror or error} while files were unpacked") from error


def _other_version(member: str, path: Path) -> BadInput:
    return BadInput(f"{member} cannot be read: written by another version of AdviserBench", file=path)
