"""Labels of clips: one class each, in any of the layouts in which files hold them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.pairs.stored import Stored
from harness.spec import BadInput


@dataclass(frozen=True)
class Labels:
    """The labels of N clips.

    Attributes:
        stored: where they come from; its values are (N,), int64 or strings.
        layout: how the file holds them when that is not (N,); else empty.
    """

    stored: Stored
    layout: str = ""

    @property
    def values(self) -> NDArray[Any]:
        """(N,) int64 or strings."""
        return self.stored.values

    def take(self, index: NDArray[np.int64]) -> Labels:
        """The labels of the clips of `index` (n,), in that order."""
        return replace(self, stored=replace(self.stored, values=self.values[index]))

    def fault(self, message: str) -> BadInput:
        """A fault of these labels."""
        return self.stored.fault(message)


def read_labels(stored: Stored, count: int, beside: str) -> Labels:
    """Whole numbers from 0 on, from (N,), (N, 1), (1, N) or one-hot (N, K), of any number type.

    Args:
        stored: the array.
        count: N.
        beside: name of the array that has N rows, for the message.

    Raises:
        BadInput: another shape, no whole numbers, negative labels, or a clip of no or of two classes.
    """
    found = replace(stored, values=_numbers(stored))
    if found.values.size == count:
        flat, layout = (
            found.values.reshape(-1),
            "" if found.values.ndim == 1 else str(stored.values.shape),
        )
    elif found.values.ndim == 2 and len(found.values) == count:
        flat, layout = _of_one_hot(found), f"one-hot {stored.values.shape}"
    else:
        raise stored.fault(
            f"expected {count} labels, as many as rows of {beside}, found shape {stored.values.shape}"
        )
    _refuse(
        found,
        ~np.isfinite(flat) | (flat != np.round(flat)),
        flat,
        "are no whole numbers",
        "expected 0, 1, 2, ...",
    )
    _refuse(found, flat < 0, flat, "are negative", "every clip needs a class")
    return Labels(replace(stored, values=flat.astype(np.int64)), layout)


def check_agreement(first: Labels, second: Labels) -> None:
    """Two label vectors (N,) of the same clips are equal.

    Raises:
        BadInput: they differ; rows are counted and the first is shown.
    """
    differ = np.flatnonzero(first.values != second.values)
    if len(differ):
        row = differ[0]
        raise second.fault(
            f"{len(differ)} of {len(second.values)} labels differ from those of {first.stored.key}, the "
            f"first in row {row}: expected {first.values[row]}, found {second.values[row]}"
        )


def _numbers(stored: Stored) -> NDArray[np.float64]:
    values = stored.values
    if values.dtype.kind not in "iufbSUO":
        raise stored.fault(f"expected whole numbers, found {values.dtype}")
    try:
        # Text, in some files: "3" is meant as 3. HDF5 gives it as objects.
        return (values.astype("S") if values.dtype.kind == "O" else values).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise stored.fault(f"expected whole numbers: {error}") from error


def _of_one_hot(stored: Stored) -> NDArray[np.float64]:
    values = stored.values
    strange = np.flatnonzero(~np.isin(values, (0, 1)).all(1) | (values.sum(1) != 1))
    if len(strange):
        raise stored.fault(
            f"expected one-hot rows, one 1 among {values.shape[1]} columns; {len(strange)} of "
            f"{len(values)} are not, the first is row {strange[0]}"
        )
    return values.argmax(1).astype(np.float64)


def _refuse(
    stored: Stored, bad: NDArray[np.bool_], flat: NDArray[np.float64], what: str, wanted: str
) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        raise stored.fault(
            f"{len(rows)} of {len(flat)} labels {what}, such as {flat[rows[0]]:g} in row {rows[0]}; "
            f"{wanted}"
        )
