"""A study's table, written to files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.spec import BadInput
from reports.collect import Records, collect
from reports.compare import build_table
from reports.layout import load_layout
from reports.render import to_csv, to_latex, to_markdown
from reports.robustness.files import robustness_files
from reports.search.files import search_files
from reports.table import Table

if TYPE_CHECKING:
    from harness.store import ResultStore


@dataclass(frozen=True)
class Report:
    """A table, its Markdown, and where it was written."""

    table: Table
    markdown: str
    paths: tuple[Path, ...]


def write_report(
    store: ResultStore,
    study: str,
    folder: Path,
    *,
    layout: str | None = None,
    reference: str | None = None,
) -> Report:
    """Writes ``table.md``, ``table.csv`` and ``table.tex``; the same records give the same bytes.

    Of a search study also every trial that was tried, as ``search.md`` and ``search.csv``, and in
    pictures: ``search.png``, or of several objectives ``front.png`` and ``front.svg`` with the points
    in ``front.csv``. Of a study with robustness protocols ``robustness.md``, its numbers as CSV, and
    the curves of each protocol and metric as PNG and SVG. A study that is still running is reported
    as far as it is.

    Args:
        store: Where the records are.
        study: The name of the study.
        folder: Where the files go; made when absent.
        layout: A file of `reports/layouts`, without its suffix; None for the one of the study's task.
        reference: The arm that the others are compared with, if not the one that the study names.

    Raises:
        BadInput: Unknown study, layout or reference, or a folder that cannot be written.
    """
    records = collect(store, study)
    shown = load_layout(layout or _task(records))
    table = build_table(records, shown, reference)
    markdown = to_markdown(table)
    words = {"table.md": markdown, "table.csv": to_csv(table), "table.tex": to_latex(table)}
    contents = {name: content.encode() for name, content in words.items()} | search_files(records)
    contents |= robustness_files(records, shown, table.reference)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = tuple(_replace(folder / name, content) for name, content in contents.items())
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror or error}", file=folder, key="--out"
        ) from error
    return Report(table, markdown, paths)


def _task(records: Records) -> str:
    """What the study's trials are about; a study is of one task."""
    return next(iter(records.plan.trials.values())).task.name


def _replace(path: Path, content: bytes) -> Path:
    """Writes beside the path and moves into place, so that a reader never sees half a table."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
        fresh = Path(folder) / path.name
        fresh.write_bytes(content)
        return fresh.replace(path)
