"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Plugins = Annotated[
    list[str] | None, typer.Option("--plugin", help="Module that registers more variants; repeatable.")
]
Out = Annotated[Path, typer.Option("--out", help="Folder of results: store, reports, work in progress.")]
Store = Annotated[
    str | None,
    typer.Option("--store", help="MLflow tracking URI; default: SQLite in the output folder."),
]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Changes to the study file, such as data.path=mosi.pkl.")
]

StudyName = Annotated[str, typer.Argument(help="Study file, or name of a study in the store.")]
AnyStudy = Annotated[str | None, typer.Argument(help="Study file or name; default: all studies.")]

DEFAULT_OUT = Path("runs")

Trial = Annotated[
    str, typer.Argument(help="Trial id, or how it begins, or STUDY/ARM, or STUDY/ARM/SEED.")
]
