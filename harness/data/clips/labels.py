"""label.csv: columns by name, every cell a string until a number is asked for."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.parts.checks import SPLITS
from harness.spec import BadInput, nearest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

REQUIRED = ("video_id", "clip_id", "text", "label", "mode")
TRUE_SCORE = "true_score"


@dataclass(frozen=True)
class ClipRow:
    """One clip of label.csv.

    Attributes:
        target: `label`, or `true_score` for a test clip of a file that has such a column.
        mode: train, valid or test.
    """

    video_id: str
    clip_id: str
    text: str
    target: float
    mode: str

    @property
    def id(self) -> str:
        """The id that feature files use for the same clip."""
        return f"{self.video_id}$_${self.clip_id}"

    @property
    def file(self) -> str:
        """Where the clip lies below the data set's folder."""
        return f"Raw/{self.video_id}/{self.clip_id}.mp4"


@dataclass(frozen=True)
class LabelTable:
    """The clips in file order.

    Attributes:
        has_true_score: test targets are true scores, not labels.
    """

    rows: tuple[ClipRow, ...]
    has_true_score: bool

    def split(self, mode: str) -> tuple[ClipRow, ...]:
        """The clips of one split, in file order."""
        return tuple(row for row in self.rows if row.mode == mode)


def read_labels(file: Path) -> LabelTable:
    """The table of a label.csv.

    Raises:
        BadInput: no such file, a column is missing, or a cell does not fit; the line is named.
    """
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front of the first column's name.
        with file.open(newline="", encoding="utf-8-sig") as source:
            reader = csv.DictReader(source)
            columns = tuple(reader.fieldnames or ())
            _check_columns(file, columns)
            rows = tuple(_row(file, reader.line_num, cells) for cells in reader)
    except OSError as error:
        reason = (
            "no such file"
            if isinstance(error, FileNotFoundError)
            else f"cannot be read: {error.strerror}"
        )
        raise BadInput(reason, file=file, key="path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"not a UTF-8 CSV file: {error}", file=file, key="path") from error
    return LabelTable(rows, TRUE_SCORE in columns)


def write_labels(file: Path, rows: Sequence[DataclassInstance]) -> None:
    """Writes a label.csv of rows of one kind, with their fields as columns; at least one row."""
    cells = [asdict(row) for row in rows]
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(cells[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(cells)


def _check_columns(file: Path, columns: tuple[str, ...]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        found = ", ".join(columns) or "none"
        raise BadInput(f"no such column; found: {found}", file=file, key=missing[0])


def _row(file: Path, line: int, cells: dict[str, str]) -> ClipRow:
    if None in cells or None in cells.values():
        raise BadInput(f"line {line} has not as many cells as there are columns", file=file, key="path")
    for key in ("video_id", "clip_id"):
        if not cells[key] or Path(cells[key]).name != cells[key]:
            raise BadInput(
                f"line {line}: expected the name of a file, given {cells[key]!r}", file=file, key=key
            )
    mode = cells["mode"]
    if mode not in SPLITS:
        raise BadInput(f"line {line}: given {mode!r}; {nearest(mode, SPLITS)}", file=file, key="mode")
    key = TRUE_SCORE if mode == "test" and TRUE_SCORE in cells else "label"
    return ClipRow(
        cells["video_id"], cells["clip_id"], cells["text"], _number(file, line, key, cells[key]), mode
    )


def _number(file: Path, line: int, key: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise BadInput(f"line {line}: expected a number, given {cell!r}", file=file, key=key) from None
