"""How a back end says that it cannot take a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.contracts import Unsupported
from harness.nn.first_cause import first_cause


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
        raise Unsupported(f"{what}: {first_cause(error)}") from error
