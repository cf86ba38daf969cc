"""Unpickling that cannot run code: NumPy arrays and plain containers, nothing else.

A pickle is a program. Only the few functions that NumPy's own pickles call are admitted, and
narrowed to what those pickles need; every other name is refused before anything is imported.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from harness.spec import BadInput


def read_pickle(file: Path) -> Any:
    """What a pickle holds; byte strings of Python 2 are read as Latin-1.

    Raises:
        BadInput: the file is missing, truncated or damaged, or holds anything but NumPy arrays of
            numbers or strings, plain containers, strings and numbers.
    """
    try:
        with file.open("rb") as source:
            found = _Restricted(source, encoding="latin1").load()
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file, key="path") from error
    except BadInput as error:
        raise error.at(file=file, key="path") from None
    except _DAMAGED as error:
        raise BadInput(
            f"not a whole pickle: {error or type(error).__name__}", file=file, key="path"
        ) from error
    try:
        _check_objects(found)
    except RecursionError:
        raise BadInput("contains itself", file=file, key="path") from None
    except BadInput as error:
        raise error.at(file=file) from None
    return found


# What the unpickler and NumPy raise on bytes that make no sense.
_DAMAGED = (
    pickle.UnpicklingError,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise BadInput(
                f"holds {module}.{name}; only NumPy arrays and plain containers are admitted"
            ) from None


class _ArrayType:
    """Stands for `numpy.ndarray`, which pickles name but need not call."""


def _reconstruct(kind: type, *_placeholder: Any) -> Any:
    """An empty array, which the pickle then fills with its state."""
    if kind is not _ArrayType:
        raise BadInput("holds a subclass of numpy.ndarray; only NumPy arrays are admitted")
    return np.ndarray((0,), "b")


def _from_buffer(buffer: Any, dtype: np.dtype, shape: tuple[int, ...], order: str) -> Any:
    # A copy, because a buffer inside a pickle is read-only.
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order="F" if order == "F" else "C").copy()


def _scalar(dtype: np.dtype, content: bytes | str) -> Any:
    raw = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(raw, dtype=dtype, count=1)[0]


def _encode(content: str, encoding: str = "latin1") -> bytes:
    """The bytes of a Python 2 array: protocols below 3 write them as Latin-1 text."""
    if encoding not in ("latin1", "latin-1"):
        raise BadInput(f"holds text to be encoded as {encoding}; only latin1 is admitted")
    return content.encode("latin1")


def _dtype(code: str, *_flags: Any) -> np.dtype:
    # Always a copy: the pickle goes on to set its state, which must not alter NumPy's own.
    return np.dtype(code, copy=True)


_CORES = ("numpy.core", "numpy._core")
_BUILTINS = ("builtins", "__builtin__")
_PLAIN = (set, frozenset, bytes, bytearray, complex)

_ADMITTED: dict[tuple[str, str], Callable[..., Any] | type] = {
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
    **{(f"{core}.multiarray", "_reconstruct"): _reconstruct for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _from_buffer for core in _CORES},
    **{(home, kind.__name__): kind for home in _BUILTINS for kind in _PLAIN},
}


def _check_objects(value: Any, key: str = "") -> None:
    """Object arrays hold strings and numbers only; they may sit anywhere in plain containers."""
    if isinstance(value, dict):
        for name, item in value.items():
            _check_objects(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_objects(item, key)
    elif isinstance(value, np.ndarray) and value.dtype.hasobject:
        strange = [
            item for item in value.flat if not isinstance(item, (str, bytes, int, float, np.number))
        ]
        if value.dtype.names or strange:
            kind = type(strange[0]).__name__ if strange else "a record"
            raise BadInput(f"an object array holds {kind}; expected strings or numbers", key=key)
