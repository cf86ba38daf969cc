"""`adviserbench report`."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from harness.cli.progress import json_line
from harness.spec import BadInput, nearest
from harness.store import BufferedStore, Outbox, ResultStore, open_store

MANY_PICTURES = 4
"""More than that are counted, not named."""


def report_command(study: str, out: Path, uri: str | None) -> None:
    """Writes and prints the report of a study given by name or by its file."""
    store = BufferedStore(open_store(out, uri, create=False), Outbox(out / "outbox"))
    name = study_name(study)
    if name not in store.studies():
        raise BadInput(f"no study '{name}' in this store; {nearest(name, store.studies())}", key="STUDY")
    print_report(store, name, out)


def print_report(store: ResultStore, study: str, out: Path, *, as_json: bool = False) -> None:
    """Writes ``reports/<study>/table.*`` below `out`; prints Markdown, a grid on a terminal, or JSON."""
    from reports import write_report
    from reports.terminal import to_grid

    report = write_report(store, study, out / "reports" / study)
    console = Console()
    if as_json:
        json_line("table", table=report.table.model_dump(mode="json"))
    elif console.is_terminal:
        console.print(to_grid(report.table))
        for warning in report.table.warnings:
            console.print(f"Warning: {warning}", highlight=False, markup=False)
    else:
        typer.echo(report.markdown)
    typer.echo(f"written: {_listed(report.paths)}", err=True)


def _listed(paths: tuple[Path, ...]) -> str:
    """The files, and of many pictures how many."""
    pictures = [path for path in paths if path.suffix in {".png", ".svg"}]
    if len(pictures) <= MANY_PICTURES:
        return ", ".join(map(str, paths))
    others = ", ".join(str(path) for path in paths if path not in pictures)
    return f"{others}, and {len(pictures)} pictures beside them"


def study_name(study: str) -> str:
    """The name that a study is given by, or that its file says."""
    path = Path(study)
    if not path.is_file():
        return study
    from omegaconf import OmegaConf

    content = OmegaConf.load(path)
    if "name" not in content:
        raise BadInput("not a study file: it has no name", file=path)
    return str(content.name)
