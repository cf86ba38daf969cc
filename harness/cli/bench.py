"""`adviserbench bench`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError

from harness.registry import discover, first_fault
from harness.spec import BadInput, BenchSettings, Plan, Study, VariantRef, nearest
from harness.study.load import load_study
from harness.study.tiny import shrink

if TYPE_CHECKING:
    from harness.store import ResultStore


@dataclass(frozen=True)
class Asked:
    """What the options say; None and empty leave a setting as the study has it."""

    arms: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    weights: str | None = None
    threads: int | None = None
    asr: str | None = None
    model_only: bool = False


def bench_command(
    study: str,
    overrides: Sequence[str],
    asked: Asked,
    out: Path,
    uri: str | None,
    plugins: Sequence[str],
    *,
    tiny: bool,
    fresh: bool = False,
) -> int:
    """Measures, prints the tables and writes them below ``reports/<study>/bench``; the exit code."""
    discover(plugins)
    from harness.cli.run import STOPPED, check_writable, terminable

    check_writable(out)
    plan, settings, store = _what(study, overrides, asked, out, uri, tiny=tiny)
    # Here, not on top: a mistyped name needs no torch.
    from harness.study.bench.kept import forget
    from harness.study.bench.processes import MeasurementFault
    from harness.study.bench.run import bench
    from reports.bench import to_markdown, write_bench

    work = out / "work" / f"bench-{plan.study.name}"
    if fresh:
        forget(work)
    try:
        with terminable():
            found = bench(plan, settings, store, work=work, plugins=plugins, say=_say)
    except MeasurementFault as fault:
        typer.echo(f"failed: {fault}; the same command goes on from what was measured", err=True)
        return 1
    except KeyboardInterrupt:
        typer.echo("stopped: the same command goes on from what was measured", err=True)
        return STOPPED
    paths = write_bench(found.record, found.samples, out / "reports" / plan.study.name / "bench")
    forget(work)
    typer.echo(to_markdown(found.record, found.samples))
    for row in found.record.rows:
        if row.refused:
            typer.echo(f"not timed: {row.name}: {row.refused}", err=True)
    typer.echo(f"written: {', '.join(map(str, paths))}", err=True)
    return 0


def _what(
    study: str, overrides: Sequence[str], asked: Asked, out: Path, uri: str | None, *, tiny: bool
) -> tuple[Plan, BenchSettings, ResultStore | None]:
    """The plan, how it is measured, and where its checkpoints are; None where weights are random."""
    path = Path(study)
    if path.is_file():
        given = load_study(path, overrides)
        given = shrink(given) if tiny else given
        settings = _settings(given, asked)
        if settings.weights == "random":
            return _untrained(given), settings, None
        name = given.name
    elif path.suffix in {".yaml", ".yml"}:
        raise BadInput("no such study file", file=path)
    else:
        given, name = None, study
    from harness.store import BufferedStore, Outbox, open_store

    store = BufferedStore(open_store(out, uri, create=False), Outbox(out / "outbox"))
    plan = store.plan(name)
    if plan is None:
        raise BadInput(
            f"no study '{name}' in this store; {nearest(name, store.studies())}; run it first, or "
            "measure what a study file's weights at random cost with --weights random",
            key="STUDY",
        )
    if given is None:
        settings = _settings(_overridden(plan.study, overrides), asked)
        if settings.weights == "random":
            return plan, settings, None
    return plan, settings, store


def _untrained(study: Study) -> Plan:
    """The plan of a study of which nothing need be trained."""
    from harness.study.expand import expand, make_plan
    from harness.study.prepare import prepared_readers

    cells = expand(study)
    readers = prepared_readers(cells)
    return make_plan(study, cells, {ref: reader.fingerprint() for ref, reader in readers.items()})


def _overridden(study: Study, overrides: Sequence[str]) -> Study:
    """The study with changes to its section `bench`, which is all that can be changed afterwards."""
    for one in overrides:
        if not one.startswith("bench."):
            raise BadInput(
                "a study of the store is measured as it was trained; expected changes such as "
                f"bench.clips=8, given {one}",
                key="overrides",
            )
    from omegaconf import OmegaConf

    changes = OmegaConf.to_container(OmegaConf.from_dotlist(list(overrides)))
    return _with(study, dict(changes).get("bench", {}) if isinstance(changes, dict) else {})


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


def _say(words: str) -> None:
    typer.echo(f"bench: {words}", err=True)
