"""Preparing ratings.csv whole or not at all, and reading it back."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.data.icwsm14.archive import ARCHIVE, ARCHIVE_SHA256, read_archive
from harness.data.icwsm14.fetch import fetch
from harness.data.icwsm14.ratings import RatedSentence, from_csv, parse, to_csv
from harness.data.parts.hashing import file_hash
from harness.spec import BadInput

FOLDER = Path("data") / "icwsm14"
RATINGS, MANIFEST = "ratings.csv", "manifest.json"
_REMEDY = "delete the folder and run `adviserbench data prepare icwsm14`"


def prepare(
    archive: Path | None, folder: Path | None, *, sha256: str = ARCHIVE_SHA256
) -> tuple[str, ...]:
    """Writes ratings.csv and its manifest into `folder` unless they are there; says what is there.

    Args:
        archive: the published archive; None = pip downloads it.
        folder: None = ``data/icwsm14`` below the working directory.
        sha256: what the archive's hash has to be.

    Raises:
        BadInput: the archive cannot be had or is another, or the folder holds something else.
    """
    folder = folder or FOLDER
    done = "already there"
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        # Read before anything is written: a wrong archive leaves no trace.
        _write(folder, _sentences(archive, sha256), sha256)
        done = "written"
    elif not (folder / MANIFEST).is_file():
        raise BadInput("holds something else; choose another --path", file=folder, key="--path")
    return (f"{done}: {folder / RATINGS}", *describe(read(folder)))


def ratings_file(folder: Path | None) -> Path:
    """The prepared ratings.csv, compared with its manifest.

    Raises:
        BadInput: not prepared, or altered since.
    """
    file = (folder or FOLDER) / RATINGS
    try:
        manifest = json.loads((file.parent / MANIFEST).read_text(encoding="utf-8"))
        expected = manifest["files"][RATINGS]
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(
            "nothing is prepared there: run `adviserbench data prepare icwsm14`", file=file.parent
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"unreadable; {_REMEDY}", file=file.parent / MANIFEST) from error
    if file_hash(file) != expected:
        raise BadInput(f"altered since it was prepared; {_REMEDY}", file=file)
    return file


def read(folder: Path | None) -> list[RatedSentence]:
    """The prepared sentences, in published order."""
    return from_csv(ratings_file(folder))


def describe(sentences: Sequence[RatedSentence]) -> tuple[str, ...]:
    """How much there is."""
    counts = [len(one.ratings) for one in sentences]
    reviews = len({one.review_id for one in sentences})
    return (
        f"{len(sentences)} sentences, {reviews} different ones, each taken for a review of its own; "
        f"{sum(counts)} ratings, {min(counts)} to {max(counts)} a sentence",
    )


def _sentences(archive: Path | None, sha256: str) -> list[RatedSentence]:
    if archive is not None:
        return parse(archive, *read_archive(archive, sha256))
    with tempfile.TemporaryDirectory() as downloads:
        return _sentences(fetch(Path(downloads), sha256), sha256)


def _write(folder: Path, sentences: list[RatedSentence], sha256: str) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}.draft-", dir=folder.parent))
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", file=folder, key="--path") from error
    try:
        (draft / RATINGS).write_text(to_csv(sentences), encoding="utf-8", newline="\n")
        manifest = {"archive": {ARCHIVE: sha256}, "files": {RATINGS: file_hash(draft / RATINGS)}}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        # mkdtemp hides the folder from other users, who may well want to read the data.
        draft.chmod(0o755)
        _rename(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _rename(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        # Another process was faster: what it made is checked like anything that is there.
        if not (folder / MANIFEST).is_file():
            raise
