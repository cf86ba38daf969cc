"""Hashes of files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from harness.spec import BadInput


def file_hash(file: Path, name: str = "") -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises:
        BadInput: there is no such file; the message calls it `name`, or by its path.
    """
    try:
        with file.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except FileNotFoundError:
        raise BadInput("no such file", file=name or file, key="path") from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=name or file, key="path") from error


def files_hash(folder: Path, names: Iterable[str]) -> str:
    """SHA-256 over the names below `folder`, in name order, and each file's own hash."""
    lines = (f"{file_hash(folder / name)}  {name}\n" for name in sorted(names))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
