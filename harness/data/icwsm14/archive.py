"""The published archive: what it is, and its two files on movie reviews."""

from __future__ import annotations

import io
import tarfile
import zlib
from pathlib import Path

from harness.data.parts.hashing import file_hash
from harness.spec import BadInput

PACKAGE, VERSION = "vaderSentiment", "3.3.2"
ARCHIVE = f"{PACKAGE}-{VERSION}.tar.gz"
ARCHIVE_SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"

_INNER = f"{PACKAGE}-{VERSION}/additional_resources/hutto_ICWSM_2014.tar.gz"
_SENTENCES = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
_RATINGS = "hutto_ICWSM_2014/movieReviewSnippets_anonDataRatings.txt"


def read_archive(archive: Path, sha256: str = ARCHIVE_SHA256) -> tuple[bytes, bytes]:
    """The file of sentences and the file of ratings; nothing is unpacked onto the disk.

    Raises:
        BadInput: not the archive of that hash, a member that would lie outside the folder it is
            unpacked in, or a member that is missing.
    """
    _check_hash(archive, sha256)
    inner = _members(archive, archive.read_bytes(), [_INNER])
    files = _members(archive, inner[_INNER], [_SENTENCES, _RATINGS])
    return files[_SENTENCES], files[_RATINGS]


def _check_hash(archive: Path, sha256: str) -> None:
    """The archive is the published one, byte by byte.

    Raises:
        BadInput: it is not there or another; both hashes are named.
    """
    try:
        found = file_hash(archive)
    except BadInput as error:
        raise BadInput(error.message, file=archive, key="--archive") from error
    if found != sha256:
        message = f"not {ARCHIVE} as published: expected SHA-256 {sha256}, found {found}"
        raise BadInput(message, file=archive, key="--archive")


def _members(archive: Path, content: bytes, wanted: list[str]) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
            members = tar.getmembers()
            for member in members:
                tarfile.data_filter(member, ".")
            found = {member.name: member for member in members if member.isfile()}
            for name in wanted:
                if name not in found:
                    raise BadInput(f"no such file in the archive: {name}", file=archive)
            return {name: _content(tar, found[name]) for name in wanted}
    except tarfile.FilterError as error:
        raise BadInput(f"unsafe member: {error}", file=archive) from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise BadInput(f"not a gzipped tar archive: {error}", file=archive) from error


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = tar.extractfile(member)
    # Only a regular file gets here, which always has content.
    assert source is not None  # noqa: S101
    return source.read()
