"""Tensors that may be larger than memory: the pixels of a data set, and what towers say of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

IN_MEMORY = 4 * 2**30
"""Bytes above which a tensor lives in a file: at a CLIP tower's size raw MOSI stays below, MOSEI not."""


def empty_paged(shape: Sequence[int], dtype: torch.dtype, in_memory: int = IN_MEMORY) -> Tensor:
    """An uninitialised tensor, in memory or in a file that is paged in as needed.

    The file lies in the system's folder for temporary files (`TMPDIR` moves it), has no name once this
    returns, and is gone with the tensor, however the process ends.

    Raises:
        OSError: the folder cannot hold it.
    """
    count = math.prod(shape)
    if count * dtype.itemsize <= in_memory:
        return torch.empty(tuple(shape), dtype=dtype)
    with TemporaryDirectory(prefix="adviserbench-") as folder:
        file = str(Path(folder) / "tensor")
        return torch.from_file(file, shared=True, size=count, dtype=dtype).view(tuple(shape))


def cat_paged(parts: Sequence[Tensor]) -> Tensor:
    """The parts (n_i, T_i, ...) one after the other, padded with zeros to the longest T."""
    first, rows = parts[0], sum(len(part) for part in parts)
    steps = [max(part.shape[1] for part in parts)] if first.ndim > 1 else []
    whole = empty_paged((rows, *steps, *first.shape[2:]), first.dtype)
    start = 0
    for part in parts:
        stretch = whole[start : start + len(part)]
        if steps and part.shape[1] < steps[0]:
            stretch.zero_()
            stretch = stretch[:, : part.shape[1]]
        stretch.copy_(part)
        start += len(part)
    return whole
