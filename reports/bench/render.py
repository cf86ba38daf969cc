"""A bench as Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pandas as pd

from reports import text
from reports.bench.costs import cost_tables
from reports.bench.found import Bench
from reports.bench.methods import methods
from reports.bench.notes import caption, refused, warnings
from reports.bench.tables import Titled, stage_table, time_tables


def markdown_of(bench: Bench, figures: tuple[str, ...] = ()) -> str:
    """All tables, with what is loud above them and how they were made below.

    Args:
        bench: the record with its statistics.
        figures: sentences on pictures that are not there.
    """
    said = text.markdown
    head = [f"## {said(_title(bench))}", _bullets(f"**{said(one)}**" for one in warnings(bench))]
    head += [_bullets(map(said, caption(bench.record))), _bullets(map(said, refused(bench)))]
    body = [_section(table) for table in _tables(bench)]
    tail = ["### How this was measured", _bullets(map(said, (*methods(bench), *figures)))]
    return "\n\n".join(part for part in (*head, *body, *tail) if part) + "\n"


def latex_of(bench: Bench) -> str:
    """Every table as a LaTeX float for the booktabs package; what is loud stands in each caption."""
    loud = " ".join(map(text.latex, warnings(bench)))
    said = " ".join(map(text.latex, (*caption(bench.record), *refused(bench), *methods(bench))))
    floats = [_float(table, loud) for table in _tables(bench)]
    return "\n".join([*floats, f"\\par{{\\footnotesize {said}}}"]) + "\n"


def _title(bench: Bench) -> str:
    return f"What inference costs: {bench.record.title or bench.record.study}"


def _tables(bench: Bench) -> Iterator[Titled]:
    yield from time_tables(bench)
    yield from stage_table(bench)
    yield from cost_tables(bench.record)


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {one}" for one in sentences)


def _section(table: Titled) -> str:
    frame = _escaped(table.frame, text.markdown)
    # Without this tabulate reads the words as numbers and rounds them again.
    body = frame.to_markdown(index=False, disable_numparse=True)
    parts = (f"### {text.markdown(table.title)}", body, _bullets(map(text.markdown, table.said)))
    return "\n\n".join(part for part in parts if part)


def _float(table: Titled, loud: str) -> str:
    frame = _escaped(table.frame, text.latex)
    tabular = frame.style.hide(axis="index").to_latex(
        hrules=True, column_format="l" + "r" * (len(frame.columns) - 1)
    )
    said = "".join(f"\\par{{\\footnotesize {text.latex(one)}}}\n" for one in table.said)
    bold = f" \\textbf{{{loud}}}" if loud else ""
    return (
        f"\\begin{{table}}\n\\caption{{{text.latex(table.title)}.{bold}}}\n"
        f"{tabular.rstrip()}\n{said}\\end{{table}}"
    )


def _escaped(frame: pd.DataFrame, escape: Callable[[str], str]) -> pd.DataFrame:
    return frame.map(escape).rename(columns=escape)
