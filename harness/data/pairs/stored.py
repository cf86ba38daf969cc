"""An array together with the place it was found at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from harness.spec import BadInput


@dataclass(frozen=True)
class Stored:
    """What a file holds under a key, as it is.

    Attributes:
        file: for messages.
        key: name of a data set or variable; for messages.
        values: of any shape and type.
    """

    file: Path
    key: str
    values: NDArray[Any]

    def fault(self, message: str) -> BadInput:
        """A fault of this array."""
        return BadInput(message, file=self.file, key=self.key)
