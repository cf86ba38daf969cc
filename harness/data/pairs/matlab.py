"""MATLAB files, one variable each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.data.pairs.stored import Stored
from harness.spec import BadInput, nearest


def read_variable(file: Path, name: str) -> Stored:
    """The variable `name` of a .mat file.

    Raises:
        BadInput: no such file, no .mat file before v7.3, no such variable or no array.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(file)
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except NotImplementedError:
        raise BadInput(
            "a MATLAB v7.3 file, which is HDF5 and is not read; save it with -v7", file=file, key="path"
        ) from None
    except (MatReadError, OSError, TypeError, ValueError) as error:
        raise BadInput(f"expected a .mat file: {error}", file=file, key="path") from error
    if name not in content:
        known = (each for each in content if not each.startswith("__"))
        raise BadInput(f"no such variable; {nearest(name, known)}", file=file, key=name)
    if not isinstance(content[name], np.ndarray):
        kind = type(content[name]).__name__
        raise BadInput(f"expected a full array, found {kind}", file=file, key=name)
    return Stored(file, name, content[name])
