"""`adviserbench data prepare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from harness.registry import DATASETS, discover
from harness.spec import BadInput, nearest


def prepare_command(
    name: str, archive: Path | None, folder: Path | None, plugins: Sequence[str]
) -> None:
    """Brings public material to where data sets look for it, and prints what is there.

    A data set says in `materials` what it can be made of: a name, and what prepares it.
    """
    discover(plugins)
    known = {
        material: prepare
        for entry in DATASETS
        for material, prepare in getattr(entry.builder, "materials", {}).items()
    }
    if name not in known:
        raise BadInput(f"nothing called '{name}' can be prepared; {nearest(name, known)}", key="NAME")
    for line in known[name](archive, folder):
        typer.echo(line)
