"""Which plan `adviserbench bench` measures, and how: a file's or the store's, changed, with options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.registry import first_fault
from harness.spec import (
    BadInput,
    BenchSettings,
    Plan,
    Runtime,
    SearchStudy,
    Study,
    VariantRef,
    nearest,
)
from harness.study.load import load_study
from harness.study.tiny import shrink

if TYPE_CHECKING:
    from harness.store import ResultStore

MEASURED = ("bench.", "runtime.accelerator=")
"""What changes of a study begin with that are about measuring it."""

UNTRAINED = frozenset({"title", "runtime", "launch", "robustness", "published", "bench"})
"""Sections of a study that its search does not depend on."""


@dataclass(frozen=True)
class Asked:
    """What the options say; None and empty leave a setting as the study has it."""

    arms: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    weights: str | None = None
    threads: int | None = None
    asr: str | None = None
    model_only: bool = False


def measured(
    study: str, overrides: Sequence[str], asked: Asked, out: Path, uri: str | None, *, tiny: bool
) -> tuple[Plan, BenchSettings, ResultStore | None]:
    """The plan, how it is measured, and where its checkpoints are; None where weights are random.

    Args:
        study: a file, or the name of a study of the store.
        overrides: changes to it; of a study of the store, to how it is measured.
        asked: what options lay over that.
        out: folder of the store, where `uri` names no other.
        uri: of the store.
        tiny: every variant of a file's study shrunk.

    Raises:
        BadInput: there is no such study, or what was trained under its name is another.
    """
    given = _of_file(Path(study), overrides, tiny=tiny)
    if given is not None:
        settings = _settings(given, asked)
        if settings.weights == "random":
            return _planned(given), settings, None
    from harness.store import BufferedStore, Outbox, open_store

    store = BufferedStore(open_store(out, uri, create=False), Outbox(out / "outbox"))
    stored = _stored(store, study if given is None else given.name)
    plan = _overridden(stored, overrides) if given is None else _as_trained(given, stored)
    settings = _settings(plan.study, asked)
    return plan, settings, None if settings.weights == "random" else store


def _of_file(path: Path, overrides: Sequence[str], *, tiny: bool) -> Study | None:
    """The study of a file; None for what is no file, but a name."""
    if path.is_file():
        found = load_study(path, overrides)
        return shrink(found) if tiny else found
    if path.suffix in {".yaml", ".yml"}:
        raise BadInput("no such study file", file=path)
    return None


def _stored(store: ResultStore, name: str) -> Plan:
    plan = store.plan(name)
    if plan is None:
        raise BadInput(
            f"no study '{name}' in this store; {nearest(name, store.studies())}; run it first, or "
            "measure what a study file's weights at random cost with --weights random",
            key="STUDY",
        )
    return plan


def _planned(study: Study) -> Plan:
    """The plan of a study, whether or not any of it was trained."""
    from harness.study.expand import expand, make_plan
    from harness.study.prepare import prepared_readers

    cells = expand(study)
    readers = prepared_readers(cells)
    return make_plan(study, cells, {ref: reader.fingerprint() for ref, reader in readers.items()})


def _as_trained(given: Study, stored: Plan) -> Plan:
    """The plan of a file's study, of which the store has trials.

    Raises:
        BadInput: what is in the store under its name was trained by another file or other changes.
    """
    if isinstance(given, SearchStudy):
        # Its trials depend on results, so that only the store has its plan.
        differing = [
            key
            for key in type(given).model_fields
            if key not in UNTRAINED and getattr(given, key) != getattr(stored.study, key, None)
        ]
        if not differing:
            return stored.model_copy(update={"study": given})
        what = f"differs from it in {', '.join(differing)}"
    else:
        plan = _planned(given)
        if not plan.trials.keys().isdisjoint(stored.trials):
            return plan
        what = "has no trial in common with it"
    raise BadInput(
        f"study '{given.name}' of this store was trained otherwise: the file, with the changes given, "
        f"{what}; run it, or measure what was trained: adviserbench bench {given.name}",
        key="STUDY",
    )


def _overridden(plan: Plan, overrides: Sequence[str]) -> Plan:
    """The plan with changes to how it is measured, which is all that can be changed afterwards."""
    for one in overrides:
        if not one.startswith(MEASURED):
            raise BadInput(
                "a study of the store is measured as it was trained; expected changes such as "
                f"bench.clips=8 or runtime.accelerator=cpu, given {one}",
                key="overrides",
            )
    from omegaconf import OmegaConf

    found = OmegaConf.to_container(OmegaConf.from_dotlist(list(overrides)))
    changes = dict(found) if isinstance(found, dict) else {}
    study = _with(plan.study, changes.get("bench", {}))
    try:
        runtime = Runtime.model_validate(study.runtime.model_dump() | changes.get("runtime", {}))
    except ValidationError as error:
        raise first_fault(error).at(key="runtime") from error
    return plan.model_copy(update={"study": study.model_copy(update={"runtime": runtime})})


def _settings(study: Study, asked: Asked) -> BenchSettings:
    changes: dict[str, Any] = {}
    if asked.arms:
        changes["arms"] = asked.arms
    if asked.backends:
        # Every arm is measured on eager, so that alone it says: on no other.
        refs = tuple(VariantRef(name=name) for name in asked.backends if name != "eager")
        arms = asked.arms or study.bench.arms or _arms(study)
        changes["backends"] = dict.fromkeys(arms, refs)
    elif asked.arms:
        kept = {arm: refs for arm, refs in study.bench.backends.items() if arm in asked.arms}
        changes["backends"] = kept
    for name in ("weights", "threads", "asr"):
        if getattr(asked, name) is not None:
            changes[name] = getattr(asked, name)
    if asked.model_only:
        changes["routes"] = ("model_only",)
    return _with(study, changes).bench


def _with(study: Study, changes: dict[str, Any]) -> Study:
    try:
        bench = BenchSettings.model_validate(study.bench.model_dump() | changes)
    except ValidationError as error:
        raise first_fault(error).at(key="bench") from error
    return study.model_copy(update={"bench": bench})


def _arms(study: Study) -> tuple[str, ...]:
    from harness.study.arms import arms

    return tuple(arms(study))
