"""Making a great many values at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_values() -> Iterator[None]:
    """Keeps the garbage collector still while the block makes values that are all kept.

    It would look through all of them again and again: three quarters of the time of reading a plan of
    10,000 trials.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
