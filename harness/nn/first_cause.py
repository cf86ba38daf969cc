"""What compilers, exporters and quantisers mean when they fail with pages of advice."""

from __future__ import annotations

LONGEST = 200
"""Characters of a reason; the rest of a longer line is cut off."""


def first_cause(error: BaseException) -> str:
    """Class and first line of the error that everything began with."""
    first = error
    # torch.compile keeps what its compiler raised in an attribute, and no cause.
    while before := first.__cause__ or getattr(first, "inner_exception", None):
        first = before
    lines = [line.strip() for line in str(first).splitlines() if line.strip()]
    # A line that ends in a colon says nothing without the next.
    count = 2 if lines and lines[0].endswith(":") else 1
    return f"{type(first).__name__}: {' '.join(lines[:count])}".removesuffix(": ")[:LONGEST]
