"""HDF5 files, one data set at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.pairs.stored import Stored
from harness.spec import BadInput, nearest


@contextmanager
def opened(file: Path, key: str) -> Iterator[Any]:
    """The data set `key` of a file, not read yet.

    Raises:
        BadInput: no such file, no HDF5, no such data set; or reading it inside the with-block fails.
    """
    import h5py

    try:
        with h5py.File(file, "r") as source:
            yield _dataset(file, source, key)
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except OSError as error:
        raise BadInput(f"expected an HDF5 file: {error}", file=file, key="path") from error


def read_array(file: Path, key: str) -> Stored:
    """The whole data set `key` of a file.

    Raises:
        BadInput: as `opened` does.
    """
    with opened(file, key) as found:
        return Stored(file, key, np.asarray(found[()]))


def _dataset(file: Path, source: Any, key: str) -> Any:
    import h5py

    if key not in source:
        raise BadInput(f"no such data set; {nearest(key, source)}", file=file, key=key)
    if not isinstance(source[key], h5py.Dataset):
        raise BadInput("expected a data set, found a group", file=file, key=key)
    return source[key]
