"""Clips with a label a step, of which one event is the clip's class; what AVE's files hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.data.pairs.clip_files import lines
from harness.data.pairs.stored import Stored
from harness.spec import BadInput

_FIELDS = "category&video&quality&start&end"


@dataclass(frozen=True)
class Annotations:
    """The rows of Annotations.txt, one a clip.

    Attributes:
        file: for messages.
        categories: N names of events.
        videos: N video ids; a video may have several clips.
    """

    file: Path
    categories: tuple[str, ...]
    videos: tuple[str, ...]


def read_annotations(file: Path) -> Annotations:
    """The categories and videos of lines `category&video&quality&start&end`, with or without a header.

    Raises:
        BadInput: a line of another form, or no line.
    """
    rows = [tuple(line.split("&")) for line in lines(file)]
    for number, row in enumerate(rows, start=1):
        if len(row) != 5:
            given = "&".join(row)
            message = f"line {number}: expected {_FIELDS}, given {given!r}"
            raise BadInput(message, file=file, key="path")
    rows = rows[1:] if rows and not rows[0][3].strip().isdecimal() else rows
    if not rows:
        raise BadInput(f"expected lines {_FIELDS}, found none", file=file, key="path")
    categories, videos, *_ = zip(*rows, strict=True)
    return Annotations(file, categories, videos)


def event_columns(stored: Stored, annotations: Annotations) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(N,) column of each clip's event, and the K names of the columns.

    The event is that of the most steps; background, the last column, is none.

    Args:
        stored: (N, T, K + 1) of 0 and 1, K the number of categories of the annotations.
        annotations: whose category must stand for one column, and one only.

    Raises:
        BadInput: another shape, other values, a clip of background only, or columns and categories do
            not match.
    """
    names = tuple(dict.fromkeys(annotations.categories))
    count, width = len(annotations.categories), len(names) + 1
    values = stored.values
    if values.ndim != 3 or (values.shape[0], values.shape[2]) != (count, width):
        raise stored.fault(
            f"expected ({count}, T, {width}): the {count} clips of {annotations.file.name}, its "
            f"{len(names)} categories and background; found {values.shape}"
        )
    if not np.isin(values, (0, 1)).all():
        raise stored.fault("expected 0 and 1 only")
    steps = values[..., :-1].sum(1)
    silent = np.flatnonzero(steps.max(1) == 0)
    if len(silent):
        raise stored.fault(f"{len(silent)} clips have no event, the first in row {silent[0]}")
    columns = steps.argmax(1).astype(np.int64)
    return columns, _names(stored, columns, annotations)


def _names(stored: Stored, columns: NDArray[np.int64], annotations: Annotations) -> tuple[str, ...]:
    name_of: dict[int, str] = {}
    column_of: dict[str, int] = {}
    pairs = zip(columns.tolist(), annotations.categories, strict=True)
    for row, (column, category) in enumerate(pairs):
        expected = name_of.setdefault(column, category)
        if expected != category or column_of.setdefault(category, column) != column:
            raise stored.fault(
                f"row {row} is of column {column}, '{expected}' by earlier rows, and '{category}' in "
                f"{annotations.file.name}; expected one column a category, in the same order of rows"
            )
    return tuple(name_of[column] for column in sorted(name_of))


def read_order(stored: Stored, count: int) -> NDArray[np.int64]:
    """(n,) rows of the clips of a split, each from 0 to `count` - 1, and once.

    Raises:
        BadInput: other numbers, or none.
    """
    order = stored.values
    if order.ndim != 1 or order.dtype.kind not in "iu" or not len(order):
        raise stored.fault(f"expected rows (n,) as integers, found {order.dtype} {order.shape}")
    if order.min() < 0 or order.max() >= count:
        raise stored.fault(f"expected rows from 0 to {count - 1}, found {order.min()} to {order.max()}")
    if len(np.unique(order)) != len(order):
        rows, times = np.unique(order, return_counts=True)
        raise stored.fault(f"row {rows[times > 1][0]} is there twice; expected every row once")
    return order.astype(np.int64)
