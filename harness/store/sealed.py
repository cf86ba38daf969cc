"""A zip file that lists what it holds: written whole or not at all, read only if nothing was changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from harness.spec import BadInput, Frozen
from harness.store.base import StoreFault

FORMAT = "adviserbench study"
VERSION = 1

_MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What `zipfile` raises on content that it cannot read."""


class Seal(Frozen):
    """What a member is to be when it is read."""

    size: int
    sha256: str


class Manifest(Frozen):
    """The last member: what the others are."""

    format: str
    version: int
    members: dict[str, Seal]


class SealedWriter:
    """Takes members one after the other; the same members in the same order give the same bytes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members: dict[str, Seal] = {}

    def add(self, name: str, content: bytes | Path) -> None:
        """Adds bytes or a copy of a file; text is compressed, weights would not get smaller."""
        if isinstance(content, Path):
            with content.open("rb") as source:
                self._members[name] = self._copy(name, source)
        else:
            with tempfile.SpooledTemporaryFile(_CHUNK) as source:
                source.write(content)
                source.seek(0)
                self._members[name] = self._copy(name, source)

    def seal(self) -> None:
        """Adds the manifest."""
        manifest = Manifest(format=FORMAT, version=VERSION, members=self._members)
        self.add(_MANIFEST, manifest.model_dump_json(indent=1).encode())

    def _copy(self, name: str, source: IO[Any]) -> Seal:
        info = zipfile.ZipInfo(name, _DATE)
        info.create_system = 3
        info.external_attr = 0o644 << 16
        info.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += target.write(chunk)
        return Seal(size=size, sha256=digest.hexdigest())


class SealedReader:
    """Members of a file whose every member is what its manifest says."""

    def __init__(self, archive: zipfile.ZipFile, names: tuple[str, ...]) -> None:
        self._archive = archive
        self.names = names

    def read(self, name: str) -> bytes:
        """The content of one member."""
        return self._archive.read(name)

    def extract(self, name: str, target: Path) -> Path:
        """The target, which is a copy of the member now."""
        with self._archive.open(name) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, _CHUNK)
        return target


@contextmanager
def writing(path: Path) -> Iterator[SealedWriter]:
    """What becomes the file at `path` when the block ends well; an older archive there is replaced.

    Raises:
        BadInput: The file cannot be written, or another file is there that is no archive.
    """
    _check_replaceable(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
            draft = Path(folder) / "archive"
            with zipfile.ZipFile(draft, "w") as archive:
                writer = SealedWriter(archive)
                yield writer
                writer.seal()
            draft.replace(path)
    except StoreFault:
        raise
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror or error}", file=path) from error


@contextmanager
def reading(path: Path) -> Iterator[SealedReader]:
    """The archive at `path`, after every member was compared with the manifest.

    Raises:
        BadInput: There is no such file, it is no archive or of another version, or was changed.
    """
    try:
        opened = zipfile.ZipFile(path)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", file=path) from error
    except _DAMAGE as error:
        raise BadInput("not a study archive, or cut short", file=path) from error
    with opened as archive:
        names = _checked(archive, path)
        yield SealedReader(archive, names)


def _check_replaceable(path: Path) -> None:
    if not path.exists():
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _manifest(archive, path)
    except (OSError, BadInput, *_DAMAGE) as error:
        raise BadInput("is there and is no study archive; it was left alone", file=path) from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        content = json.loads(archive.read(_MANIFEST))
        given = (content["format"], content["version"])
    except (KeyError, TypeError, *_DAMAGE) as error:
        raise BadInput("not a study archive: it has no readable manifest", file=path) from error
    if given != (FORMAT, VERSION):
        raise BadInput(
            f"given {given[0]}, format version {given[1]}; expected {FORMAT}, format version {VERSION}",
            file=path,
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise BadInput("not a study archive: its manifest lacks something", file=path) from error


def _checked(archive: zipfile.ZipFile, path: Path) -> tuple[str, ...]:
    members = _manifest(archive, path).members
    there = Counter(archive.namelist())
    expected = Counter([*members, _MANIFEST])
    if there != expected:
        odd = sorted((there - expected) + (expected - there))
        raise BadInput(f"files and manifest differ in {', '.join(odd[:3])}", file=path)
    for name, seal in members.items():
        if _sealed(archive, name) != seal:
            raise BadInput(f"{name} was changed or damaged after the export", file=path)
    return tuple(members)


def _sealed(archive: zipfile.ZipFile, name: str) -> Seal | None:
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(name) as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except _DAMAGE:
        return None
    return Seal(size=size, sha256=digest.hexdigest())
