"""Qt's binary resource bundles (.rcc), as far as they are files in folders."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.spec import BadInput

_FOLDER, _COMPRESSED, _OTHER = 2, 1, 4
"""Flags of an entry: a folder; content of zlib after four bytes with its length; content of zstd."""


@dataclass(frozen=True)
class _Bundle:
    """The bytes, and where the tree of entries, their contents and their names begin."""

    content: bytes
    version: int
    tree: int
    data: int
    names: int


def read_bundle(file: Path) -> dict[str, bytes]:
    """The files of a bundle by their paths in it, such as ``gcompris/src/activities/x.svg``.

    Raises:
        BadInput: the bundle is missing, damaged, or compressed by something else than zlib.
    """
    try:
        bundle = _opened(file.read_bytes())
        return {path: _content(bundle, place) for path, place in _files(bundle, 0, "", set())}
    except FileNotFoundError:
        raise BadInput("no such file", file=file, key="path") from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file, key="path") from error
    except (struct.error, zlib.error, UnicodeDecodeError, ValueError) as error:
        raise BadInput(
            f"no bundle of Qt resources, or damaged: {error}", file=file, key="path"
        ) from error


def _opened(content: bytes) -> _Bundle:
    magic, *header = struct.unpack_from(">4s4I", content)
    if magic != b"qres":
        raise ValueError(f"expected it to begin with b'qres', found {magic!r}")
    return _Bundle(content, *header)


def _files(bundle: _Bundle, number: int, path: str, seen: set[int]) -> Iterator[tuple[str, int]]:
    """The path of every file below an entry of the tree, and where its entry lies."""
    # A damaged bundle may name a folder its own child.
    if number in seen:
        raise ValueError(f"entry {number} is in two folders")
    seen.add(number)
    # From version 2 on an entry ends in the time of its last change.
    place = bundle.tree + number * (14 if bundle.version < 2 else 22)
    name, flags = struct.unpack_from(">IH", bundle.content, place)
    path = f"{path}/{_name(bundle, name)}" if path else _name(bundle, name) if number else ""
    if not flags & _FOLDER:
        yield path, place
        return
    count, first = struct.unpack_from(">II", bundle.content, place + 6)
    for child in range(first, first + count):
        yield from _files(bundle, child, path, seen)


def _name(bundle: _Bundle, offset: int) -> str:
    place = bundle.names + offset
    (length,) = struct.unpack_from(">H", bundle.content, place)
    # A hash of four bytes lies between.
    return bundle.content[place + 6 : place + 6 + 2 * length].decode("utf-16-be")


def _content(bundle: _Bundle, entry: int) -> bytes:
    _, flags, _, _, offset = struct.unpack_from(">IHHHI", bundle.content, entry)
    place = bundle.data + offset
    (length,) = struct.unpack_from(">I", bundle.content, place)
    found = bundle.content[place + 4 : place + 4 + length]
    if len(found) < length:
        raise ValueError(f"it ends after {len(found)} of {length} bytes of a file")
    if flags & _OTHER:
        raise ValueError("it is compressed by zstd, expected zlib or nothing")
    return zlib.decompress(found[4:]) if flags & _COMPRESSED else found
