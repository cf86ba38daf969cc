"""A table as Markdown, LaTeX and CSV."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from harness.spec import METRICS
from reports import text
from reports.below import published_csv, published_latex, published_markdown
from reports.table import Column, Row, Table


def to_markdown(table: Table) -> str:
    """The table with its footnotes, in GitHub's Markdown; best values are bold."""
    frame = words_of(table, text.markdown, "**{}**")
    # Without this tabulate reads the words as numbers and rounds them again.
    body = frame.to_markdown(index=False, disable_numparse=True)
    warnings = "\n".join(f"- **Warning:** {text.markdown(warning)}" for warning in table.warnings)
    notes = "\n".join(f"- {text.markdown(note)}" for note in table.notes)
    parts = (f"## {text.markdown(table.caption)}", body, warnings, notes, published_markdown(table))
    return "\n\n".join(part for part in parts if part) + "\n"


def to_latex(table: Table) -> str:
    """The table as a LaTeX float for the booktabs package, footnotes below the rules."""
    frame = words_of(table, text.latex, r"\textbf{{{}}}")
    tabular = frame.style.hide(axis="index").to_latex(
        hrules=True, column_format="l" * len(frame.columns)
    )
    warnings = [f"\\textbf{{Warning:}} {text.latex(warning)}" for warning in table.warnings]
    notes = [*warnings, *(text.latex(note) for note in table.notes)]
    lines = (
        r"\begin{table}",
        f"\\caption{{{text.latex(table.caption)}}}",
        f"\\label{{tab:{table.study}}}",
        tabular.rstrip("\n"),
        *(f"\\par{{\\footnotesize {note}}}" for note in notes),
        r"\end{table}",
        *published_latex(table),
    )
    return "\n".join(lines) + "\n"


def to_csv(table: Table) -> str:
    """The numbers behind the table, unrounded, a row per arm; an empty field is no number at all.

    Published rows follow, marked in the column of that name, their numbers where means are.
    """
    rows = [_csv_row(table, row) for row in table.rows]
    heads = list(rows[0]) if rows else None
    rows += [published_csv(table, row) for row in table.published]
    # As objects: an empty field would make floats of a column's whole numbers.
    return pd.DataFrame(rows, columns=heads, dtype=object).to_csv(index=False, lineterminator="\n")


def words_of(table: Table, escape: Callable[[str], str], bold: str) -> pd.DataFrame:
    """The cells in words, escaped, best ones bold; with a column of differences to a reference."""
    rows = [[escape(text.arm_name(row)) for row in table.rows]]
    rows.append([escape(row.seeds) for row in table.rows])
    heads = ["arm", "n", *(text.heading(column) for column in table.columns)]
    for index, column in enumerate(table.columns):
        rows.append([_cell(row, index, column, escape, bold) for row in table.rows])
    if table.reference is not None:
        heads.append(text.difference_heading(table))
        rows.append([escape(_difference(table, row)) for row in table.rows])
    return pd.DataFrame(dict(zip(map(escape, heads), rows, strict=True)))


def _difference(table: Table, row: Row) -> str:
    words = text.difference(row.difference, METRICS[table.compared].digits)
    other = row.difference is not None and row.reference != table.reference
    return f"{words} vs {row.reference}" if other else words


def _cell(row: Row, index: int, column: Column, escape: Callable[[str], str], bold: str) -> str:
    cell = row.cells[index]
    words = escape(text.value(cell.summary, column, row.complete))
    return bold.format(words) if cell.best else words


def _csv_row(table: Table, row: Row) -> dict[str, object]:
    fields: dict[str, object] = {
        "study": table.study,
        "arm": row.arm,
        "role": row.role,
        "reference": row.is_reference,
        "compared_with": row.reference,
        "protocol": " ".join(table.protocols),
        "split": table.split,
        "planned": row.planned,
        "complete": row.complete,
        "failed": row.failed,
        "missing": row.missing,
    }
    for column, cell in zip(table.columns, row.cells, strict=True):
        name = f"{column.metric}_millions" if column.unit == "M" else column.metric
        fields |= {
            f"{name}_mean": _csv_number(cell.summary.mean, known=cell.summary.n > 0),
            f"{name}_sd": _csv_number(cell.summary.sd, known=cell.summary.n > 1),
            f"{name}_n": cell.summary.n,
            f"{name}_best": cell.best,
        }
    return fields | _csv_difference(row, table.compared) | _csv_origin(row)


def _csv_difference(row: Row, metric: str) -> dict[str, object]:
    found = row.difference
    names = ("mean", "lower", "upper", "interval", "sd", "n", "videos", "clips")
    if found is None:
        return {f"difference_{metric}_{name}": None for name in names}
    spread = found.method != "no spread"
    values = (
        repr(found.estimate),
        _csv_number(found.lower, known=spread),
        _csv_number(found.upper, known=spread),
        found.method,
        _csv_number(found.seeds.sd, known=found.seeds.n > 1),
        str(found.seeds.n),
        str(found.videos),
        str(found.clips),
    )
    return {f"difference_{metric}_{name}": value for name, value in zip(names, values, strict=True)}


def _csv_origin(row: Row) -> dict[str, object]:
    return {
        "data_fingerprint": " ".join(row.fingerprints),
        "code_revision": " ".join(row.revisions),
        "hardware": "; ".join(row.hardware),
        "modalities": " ".join(row.modalities),
        "published": False,
        "source": None,
        "unverified": None,
    }


def _csv_number(number: float, *, known: bool) -> str | None:
    # As Python writes it, so that it reads back to the last digit; pandas would turn NaN into "".
    return repr(number) if known else None
