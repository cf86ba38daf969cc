"""Tensors that may be larger than memory."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

IN_MEMORY = 4 * 2**30
"""Bytes above which pixels live in a file: at a CLIP tower's size raw MOSI stays below, MOSEI not."""


def empty_pixels(*shape: int, in_memory: int = IN_MEMORY) -> Tensor:
    """An uninitialised uint8 tensor of this shape, in memory or in a file that is paged in as needed.

    The file lies in the system's folder for temporary files (`TMPDIR` moves it), has no name once this
    returns, and is gone with the tensor, however the process ends.

    Raises:
        OSError: the folder cannot hold it.
    """
    count = math.prod(shape)
    if count <= in_memory:
        return torch.empty(shape, dtype=torch.uint8)
    with TemporaryDirectory(prefix="pixels-") as folder:
        file = str(Path(folder) / "pixels")
        return torch.from_file(file, shared=True, size=count, dtype=torch.uint8).view(shape)
