"""The one error a user can cause, and the hint that goes with a mistyped name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

LISTED = 40


class BadInput(ValueError):
    """Input that cannot be used: one line that names the file, the key and what was expected.

    The place that finds the fault often does not know the file or the whole key; whoever does adds
    it with `at` on the way up.
    """

    def __init__(self, message: str, *, file: str | Path = "", key: str = "") -> None:
        super().__init__(message)
        self.message = " ".join(message.split())
        self.file = str(file)
        self.key = key

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.message) if part)

    def at(self, *, file: str | Path = "", key: str = "") -> BadInput:
        """The same fault seen from one level further out: `key` goes in front, `file` fills a gap."""
        joined = ".".join(part for part in (key, self.key) if part)
        return BadInput(self.message, file=self.file or file, key=joined)


def nearest(given: str, known: Iterable[str]) -> str:
    """A hint such as ``did you mean 'patience'? known: a, b``, for the end of an error message.

    More than `LISTED` names are only counted: a library has hundreds.
    """
    names = sorted(known)
    close = get_close_matches(given, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    shown = ", ".join(names) if len(names) <= LISTED else f"{len(names)} names"
    return f"{hint}known: {shown or 'none'}"
