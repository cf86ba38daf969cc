"""How a back end says that it cannot take a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.contracts import Unsupported

LONGEST = 200
"""Characters of a reason; the rest of a longer line is cut off."""


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Any fault inside is `Unsupported`: `what` failed, and the first line of its first cause."""
    try:
        yield
    except Unsupported:
        raise
    # What compilers, exporters and quantisers raise for a model that they cannot take has no common
    # class: TypeErrors of operators and RuntimeErrors of kernels are among it.
    except Exception as error:
        raise Unsupported(f"{what}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Class and first line of the error that everything began with."""
    first = error
    # torch.compile keeps what its compiler raised in an attribute, and no cause.
    while before := first.__cause__ or getattr(first, "inner_exception", None):
        first = before
    lines = [line.strip() for line in str(first).splitlines() if line.strip()]
    # A line that ends in a colon says nothing without the next.
    count = 2 if lines and lines[0].endswith(":") else 1
    return f"{type(first).__name__}: {' '.join(lines[:count])}".removesuffix(": ")[:LONGEST]
