"""The commands that show or prepare, and run nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence

import typer
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from harness.registry import DATASETS, REGISTRIES, discover
from harness.spec import BadInput, VariantRef, nearest


def list_command(kind: str | None, plugins: Sequence[str]) -> None:
    """Prints name, summary and reference of the variants of one kind, or of all."""
    discover(plugins)
    if kind is not None and kind not in REGISTRIES:
        raise BadInput(f"no registry is called '{kind}'; {nearest(kind, REGISTRIES)}", key="KIND")
    table = Table("kind", "name", "what it is", "source", box=None, header_style="bold")
    for registry in REGISTRIES.values():
        if kind in {None, registry.kind}:
            for entry in registry:
                table.add_row(entry.kind, entry.name, entry.summary, entry.paper)
    Console().print(table)


def schema_command() -> None:
    """Prints the JSON Schema of study files."""
    from harness.study.load import study_schema

    typer.echo(json.dumps(study_schema(), indent=2))


def make_command(name: str, params: Sequence[str], plugins: Sequence[str]) -> None:
    """Makes or checks a data set and prints what reading it found."""
    discover(plugins)
    given = OmegaConf.create({"name": name})
    given.merge_with_dotlist(list(params))
    reader = DATASETS.build(VariantRef.model_validate(OmegaConf.to_container(given)))
    reader.prepare()
    for line in reader.load().findings:
        typer.echo(line)
