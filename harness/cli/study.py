"""`adviserbench study`: how far studies are, and what keeps a store in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.cli.report import study_name
from harness.cli.study_view import Sheet, as_data, headline, sheets
from harness.spec import BadInput, Plan, SearchStudy, nearest
from harness.store import ResultStore, open_store
from harness.store.claims import Claims, MemoryClaims, open_claims
from harness.store.claims.open import FILE as CLAIMS
from harness.store.reachable import without_password
from harness.study.retry import retry
from harness.study.status import StudyStatus, study_status
from harness.study.upkeep import House, Leftovers

FEW_ROWS = 200
"""Rich draws a millisecond a row; longer tables are plain on a terminal too."""

SHOWN = 10


def status_command(
    study: str | None, out: Path, uri: str | None, *, as_json: bool, every_trial: bool
) -> None:
    """Prints how far one study is, or all of them."""
    house = open_house(out, uri, writes=False)
    names = house.store.studies() if study is None else (_known(house.store, study),)
    plans = [plan for plan in map(house.store.plan, names) if plan is not None]
    found = [study_status(plan, house.store, house.claims, house.outbox) for plan in plans]
    if as_json:
        studies = [as_data(status, every_trial=every_trial) for status in found]
        typer.echo(json.dumps({"studies": studies}))
        return
    for number, (plan, status) in enumerate(zip(plans, found, strict=True)):
        typer.echo(("\n" if number else "") + headline(status))
        for sheet in sheets(status, every_trial=every_trial):
            typer.echo()
            _show(sheet)
        for line in _disagreements(plan, status, house):
            typer.echo(f"Warning: {line}")


def retry_command(study: str, trials: Sequence[str], out: Path, uri: str | None) -> None:
    """Forgets results, so that the next run has their trials to run."""
    house = open_house(out, uri)
    plan = _plan(house.store, study)
    forgotten = retry(plan, house.reading, house.claims, trials)
    for trial in forgotten[:SHOWN]:
        typer.echo(trial)
    if len(forgotten) > SHOWN:
        typer.echo(f"and {len(forgotten) - SHOWN} more")
    what = _count(len(forgotten), "result")
    then = "the next run takes them up" if forgotten else "nothing to be run again"
    typer.echo(f"{what} forgotten: {then}")


def prune_command(study: str | None, out: Path, uri: str | None, *, unplanned: bool, yes: bool) -> None:
    """Clears away what is left over, or says what it would clear away."""
    house = open_house(out, uri)
    name = None if study is None else _known(house.store, study)
    found = house.leftovers(name, unplanned=unplanned)
    for line in _words(found) or ["nothing is left over"]:
        typer.echo(line)
    if yes:
        typer.echo(f"removed, and {_count(house.remove(found), 'dead claim')}")
    else:
        typer.echo("nothing was removed; --yes removes this, and dead claims")


def export_command(study: str, file: Path, out: Path, uri: str | None, *, files: bool) -> None:
    """Writes a study to one file."""
    from harness.store.archive import export_study

    house = open_house(out, uri, writes=False)
    count = export_study(house.reading, _known(house.store, study), file, files=files)
    typer.echo(f"{_count(count, 'trial')} written to {file}")


def import_command(file: Path, out: Path, uri: str | None, name: str | None) -> None:
    """Adds the study of such a file to a store, which is made if there is none."""
    from harness.cli.run import check_writable
    from harness.store.archive import import_study

    if not file.is_file():
        raise BadInput("no such file", file=file, key="FILE")
    check_writable(out)
    added = import_study(open_store(out, uri), file, name)
    typer.echo(
        f"{added.name}: {_count(added.new, 'new trial')}, {added.present} already here; "
        f"report with: {_command('report', added.name, out, uri)}"
    )


def open_house(out: Path, uri: str | None, *, writes: bool = True) -> House:
    """The store, which has to exist, and its claims; who only reads makes no file of them."""
    store = open_store(out, uri, create=False)
    are_there = writes or uri is not None or (out / CLAIMS).is_file()
    claims: Claims = open_claims(out, uri) if are_there else MemoryClaims()
    return House(out, store, claims)


def _known(store: ResultStore, study: str) -> str:
    name = study_name(study)
    if name not in store.studies():
        raise BadInput(f"no study '{name}' in this store; {nearest(name, store.studies())}", key="STUDY")
    return name


def _plan(store: ResultStore, study: str) -> Plan:
    plan = store.plan(_known(store, study))
    if plan is None:
        raise BadInput(f"the plan of '{study}' cannot be read; run the study again", key="STUDY")
    return plan


def _disagreements(plan: Plan, status: StudyStatus, house: House) -> tuple[str, ...]:
    """What Optuna tells otherwise; not asked while a runner is about to tell it more."""
    is_busy = any(trial.owner is not None or trial.is_undelivered for trial in status.trials)
    if not isinstance(plan.study, SearchStudy) or is_busy:
        return ()
    from harness.study.place import open_place
    from harness.study.search.agreement import disagreements
    from harness.study.search.history import History

    journal = open_place(house.out, None).journal
    history = History(plan.study.search.storage, journal, lambda: house.claims)
    return disagreements(plan, house.reading, history)


def _show(sheet: Sheet) -> None:
    console = Console()
    if console.is_terminal and len(sheet.rows) <= FEW_ROWS:
        table = Table(*sheet.headings, box=None, header_style="bold", padding=(0, 2, 0, 0))
        for row in sheet.rows:
            table.add_row(*map(Text, row))
        console.print(table)
        return
    import pandas as pd

    frame = pd.DataFrame(list(sheet.rows), columns=list(sheet.headings))
    typer.echo(frame.to_markdown(index=False, tablefmt="plain", disable_numparse=True))


def _words(found: Leftovers) -> list[str]:
    trials = [("left open by a killed process", found.begun), ("in no plan", found.unplanned)]
    lines = [f"trial {trial}: {why}" for why, which in trials for trial in which]
    return [*lines, *map(str, found.paths)]


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _command(command: str, study: str, out: Path, uri: str | None) -> str:
    store = f" --store {without_password(uri)}" if uri else ""
    return f"adviserbench {command} {study} --out {out}{store}"
