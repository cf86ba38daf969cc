"""Published results as Markdown, LaTeX and CSV: what stands below a table."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from reports import text
from reports.literature import MARK, UNVERIFIED, PublishedRow
from reports.table import Column, Table

_LEGEND = f"{UNVERIFIED}: not checked against its source."


def published_markdown(table: Table) -> str:
    """A block of its own; empty for a table without published rows."""
    if not table.published:
        return ""
    body = _words(table, text.markdown).to_markdown(index=False, disable_numparse=True)
    notes = "\n".join(f"- {text.markdown(note)}" for note in (_LEGEND, *table.published_notes))
    return f"### {text.markdown(_caption(table))}\n\n{body}\n\n{notes}"


def published_latex(table: Table) -> tuple[str, ...]:
    """The lines of a float of its own; none for a table without published rows."""
    if not table.published:
        return ()
    frame = _words(table, text.latex)
    tabular = frame.style.hide(axis="index").to_latex(
        hrules=True, column_format="l" * len(frame.columns)
    )
    return (
        r"\begin{table}",
        f"\\caption{{{text.latex(_caption(table))}}}",
        f"\\label{{tab:{table.study}-published}}",
        tabular.rstrip("\n"),
        *(f"\\par{{\\footnotesize {text.latex(note)}}}" for note in (_LEGEND, *table.published_notes)),
        r"\end{table}",
    )


def published_csv(table: Table, row: PublishedRow) -> dict[str, object]:
    """The row in the columns of the table's CSV; those that are about our trials stay empty."""
    known = {column.metric: row.numbers[column.metric] for column in _columns(table, row)}
    return {
        "study": table.study,
        "arm": row.method,
        "protocol": f"{row.dataset}, {row.split_protocol}",
        **{f"{metric}_mean": repr(number.value) for metric, number in known.items()},
        "modalities": row.modalities,
        "published": True,
        "source": row.source,
        "unverified": " ".join(metric for metric, number in known.items() if not number.verified),
    }


def _caption(table: Table) -> str:
    data = ", ".join(dict.fromkeys(row.dataset for row in table.published))
    return f"Published results on {data}; {MARK}"


def _words(table: Table, escape: Callable[[str], str]) -> pd.DataFrame:
    shown = [
        column
        for column in table.columns
        if any(column.metric in row.numbers for row in table.published)
    ]
    rows = [
        [
            row.method,
            row.modalities,
            *(_number(row, column) for column in shown),
            f"{row.dataset}, {row.split_protocol}",
            row.source,
            MARK,
        ]
        for row in table.published
    ]
    heads = ["method", "modalities", *map(text.heading, shown), "data and split", "source", "remark"]
    escaped = [[escape(word) for word in row] for row in rows]
    return pd.DataFrame(escaped, columns=[escape(head) for head in heads])


def _columns(table: Table, row: PublishedRow) -> list[Column]:
    return [column for column in table.columns if column.metric in row.numbers]


def _number(row: PublishedRow, column: Column) -> str:
    number = row.numbers.get(column.metric)
    if number is None:
        return text.DASH
    return f"{number.value:.{column.digits}f}{'' if number.verified else f' {UNVERIFIED}'}"
