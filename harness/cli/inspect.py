"""The commands that show or prepare, and run nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from omegaconf import OmegaConf
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.registry import DATASETS, REGISTRIES, Registry, discover
from harness.spec import BadInput, ChoiceSpace, LossTerm, Space, VariantRef, nearest


def list_command(kind: str | None, plugins: Sequence[str]) -> None:
    """Prints name, summary and reference of the variants of one kind, or of all."""
    discover(plugins)
    if kind is not None:
        _registry(kind)
    table = Table("kind", "name", "what it is", "source", box=None, header_style="bold")
    for registry in REGISTRIES.values():
        if kind in {None, registry.kind}:
            for entry in registry:
                table.add_row(entry.kind, entry.name, entry.summary, entry.paper)
    Console().print(table)


def describe_command(kind: str, name: str, plugins: Sequence[str]) -> None:
    """Prints the parameters of one variant: default, what a search tries, what it does; its presets."""
    # Here, not on top: a mistyped command needs no study.
    from harness.study.presets import presets

    discover(plugins)
    entry = _registry(kind).get(name)
    table = Table(box=None, header_style="bold")
    for head in ("parameter", "default", "a search tries", "what it does"):
        table.add_column(head, overflow="fold")
    if "weight" in entry.space:
        table.add_row("weight", f"{LossTerm().weight:g}", _tried(entry.space["weight"]), "of the loss")
    defaults = entry.config().model_dump(mode="json")
    for param, field in entry.config.model_fields.items():
        space = entry.space.get(param)
        default = json.dumps(defaults[param], ensure_ascii=False)
        row = (param, default, _tried(space) if space else "", field.description or "")
        table.add_row(*(escape(words) for words in row))
    console = Console()
    console.print(f"{entry.kind} {entry.name}: {entry.summary}\nSource: {entry.paper}", markup=False)
    console.print(table)
    for data, preset in presets(entry).items():
        trials = "trials not known" if preset.trials is None else f"{preset.trials} search trials"
        console.print(f"preset {data}: {preset.source} ({trials})", markup=False)


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


def _registry(kind: str) -> Registry[Any]:
    found: Mapping[str, Registry[Any]] = {registry.kind: registry for registry in REGISTRIES.values()}
    if kind not in found:
        raise BadInput(f"no registry is called '{kind}'; {nearest(kind, found)}", key="KIND")
    return found[kind]


def _tried(space: Space) -> str:
    """``16 to 128, log, when pretrained is null``."""
    if isinstance(space, ChoiceSpace):
        words = " or ".join(json.dumps(choice) for choice in space.choices)
    else:
        step = f", step {space.step:g}" if space.step not in {None, 1} else ""
        words = f"{space.low:g} to {space.high:g}{step}{', log' if space.log else ''}"
    for param, value in space.when.items():
        wanted = value if isinstance(value, list) else [value]
        words += f", when {param} is {' or '.join(json.dumps(one) for one in wanted)}"
    return words
