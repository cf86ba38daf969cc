"""Which steps of padded features exist, and bringing them to the front."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.data.pickles.split import SplitReader

Padding = Literal["end", "front"]


def lengths(
    reader: SplitReader, view: str, shape: tuple[int, ...], attention: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], str]:
    """(N,) lengths of a view of padded shape (N, T, D), and where they come from.

    Stored lengths win. Without them a file aligned to words has the lengths of its tokens; what is
    left is taken to be as long as the padding. Text is as long as its tokens.
    """
    count, longest = shape[:2]
    stored = None if view == "text" else reader.stored_lengths(view, count, longest)
    if stored is not None:
        return stored, f"{view}_lengths"
    if attention is not None and attention.shape[1] == longest:
        return attention.sum(1), "the attention mask of text_bert"
    return np.full(count, longest), "the padded length"


def arrange(
    reader: SplitReader,
    view: str,
    values: NDArray[np.floating],
    exist: NDArray[np.int64],
    padding: Padding,
) -> tuple[NDArray[np.floating], int]:
    """The features (N, T, D) with existing steps first and zeros after, and what that costs.

    The second value counts clips with something but zeros outside their length: it is not read.

    Raises:
        BadInput: most clips are padded at the front, but `padding` is "end".
    """
    longest = values.shape[1]
    position = np.arange(longest)
    filled = (values != 0).any(2)
    if padding == "front" and view != "text":
        order = (position + longest - exist[:, None]) % longest if longest else position
        values, filled = (
            np.take_along_axis(values, order[..., None], 1),
            np.take_along_axis(filled, order, 1),
        )
    else:
        _refuse_front(reader, view, filled, exist)
    outside = position >= exist[:, None]
    if outside.any():
        values = np.where(outside[..., None], 0, values)
    return values, int((filled & outside).any(1).sum())


def _refuse_front(
    reader: SplitReader, view: str, filled: NDArray[np.bool_], exist: NDArray[np.int64]
) -> None:
    short = (exist > 0) & (exist < filled.shape[1])
    front = short & ~filled[:, 0] & filled[:, -1]
    if front.sum() * 2 > short.sum():
        raise reader.fault(
            view,
            f"{front.sum()} of {short.sum()} shorter clips have zeros before their steps; "
            "a file that is padded in front is read with padding: front",
        )
