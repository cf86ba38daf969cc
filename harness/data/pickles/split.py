"""One split of an MMSA feature pickle, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.spec import BadInput, nearest

FEATURES: tuple[Literal["text"], Literal["vision"], Literal["audio"]] = ("text", "vision", "audio")
_SEPARATOR = "$_$"


@dataclass(frozen=True)
class SplitReader:
    """Reads keys of one split and says where a fault is.

    Attributes:
        file: for messages.
        split: train, valid or test.
        content: what the pickle holds under that name.
    """

    file: Path
    split: str
    content: Mapping[str, Any]

    def ids(self) -> tuple[str, ...]:
        """N clip ids, each `<video_id>$_$<clip_id>`."""
        found = self.strings("id")
        strange = [clip for clip in found if _SEPARATOR not in clip]
        if strange:
            raise self.fault("id", f"expected <video_id>{_SEPARATOR}<clip_id>, found {strange[0]!r}")
        return found

    def strings(self, key: str) -> tuple[str, ...]:
        """N strings, from a list or an array."""
        found = self._get(key)
        values = found.tolist() if isinstance(found, np.ndarray) else found
        if not isinstance(values, (list, tuple)):
            raise self.fault(key, f"expected a list of strings, found {type(found).__name__}")
        texts = [value.decode("latin1") if isinstance(value, bytes) else value for value in values]
        strange = [type(value).__name__ for value in texts if not isinstance(value, str)]
        if strange:
            raise self.fault(key, f"expected strings, found {strange[0]}")
        return tuple(texts)

    def array(self, key: str, *shape: int | str) -> NDArray[np.generic]:
        """An array of numbers; in `shape` a number must be met, a letter stands for any size."""
        found = self._get(key)
        wanted = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf":
            kind = (
                f"an array of {found.dtype}" if isinstance(found, np.ndarray) else type(found).__name__
            )
            raise self.fault(key, f"expected an array of numbers {wanted}, found {kind}")
        sizes = zip(shape, found.shape, strict=False)
        if found.ndim != len(shape) or any(isinstance(a, int) and a != b for a, b in sizes):
            raise self.fault(key, f"expected shape {wanted}, found {found.shape}")
        return found

    def attention(self, count: int, length: int) -> NDArray[np.bool_] | None:
        """(N, L) True where a token exists, from either layout of `text_bert`; None without the key."""
        if "text_bert" not in self.content:
            return None
        mask = self._bert_row(1, count, length)
        if not np.isin(mask, (0, 1)).all():
            raise self.fault("text_bert", "expected 0 and 1 only in row 1, the attention mask")
        if (np.diff(mask, axis=1) > 0).any():
            raise self.fault("text_bert", "expected tokens before padding, found padding first")
        return mask.astype(bool)

    def token_ids(self, count: int, length: int) -> NDArray[np.int64]:
        """(N, L) token ids, row 0 of `text_bert`, whatever number type they are stored as."""
        ids = np.asarray(self._bert_row(0, count, length), dtype=np.float64)
        if (ids < 0).any() or (ids != np.round(ids)).any():
            raise self.fault("text_bert", "expected integers from 0 in row 0, the token ids")
        return ids.astype(np.int64)

    def _bert_row(self, row: int, count: int, length: int) -> NDArray[np.generic]:
        found = self.array("text_bert", count, "3 or L", "L or 3")
        shapes = {(count, 3, length): found[:, row, :], (count, length, 3): found[:, :, row]}
        part = next((part for shape, part in shapes.items() if shape == found.shape), None)
        if part is None:
            wanted = " or ".join(map(str, shapes))
            raise self.fault("text_bert", f"expected shape {wanted}, found {found.shape}")
        return part

    def stored_lengths(self, view: str, count: int, longest: int) -> NDArray[np.int64] | None:
        """(N,) lengths under `<view>_lengths`, a list or an array; None without the key."""
        key = f"{view}_lengths"
        if key not in self.content:
            return None
        values = np.asarray(self._get(key))
        if values.shape != (count,) or values.dtype.kind not in "iuf":
            raise self.fault(key, f"expected {count} integers, found {values.dtype} {values.shape}")
        if (values != np.round(values)).any() or values.min() < 0 or values.max() > longest:
            raise self.fault(
                key,
                f"expected integers from 0 to {longest}, the padded length, "
                f"found {values.min():g} to {values.max():g}",
            )
        return values.astype(np.int64)

    def fault(self, key: str, message: str) -> BadInput:
        """A fault of one key of this split."""
        return BadInput(message, file=self.file, key=f"{self.split}.{key}")

    def _get(self, key: str) -> Any:
        if key not in self.content:
            raise self.fault(key, f"no such key; {nearest(key, map(str, self.content))}")
        return self.content[key]


def video_of(clip: str) -> str:
    """The video that a clip was cut from."""
    return clip.rpartition(_SEPARATOR)[0]
