"""Where a data set was read from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.data.parts.checks import require_path
from harness.spec import BadInput


@dataclass(frozen=True)
class Source:
    """A file or folder with clips.

    Attributes:
        file: for messages.
        family: what kind of file it is, for the findings.
        bytes_hash: SHA-256 of everything that is read.
        allow_shared_videos: a video may have clips in two splits.
        validation: where validation clips come from, for the findings and the footnotes of tables.
    """

    file: Path
    family: str
    bytes_hash: str
    allow_shared_videos: bool = False
    validation: str = "the files' own split"

    @property
    def findings(self) -> tuple[str, ...]:
        """What was read, and where validation comes from."""
        return f"{self.family}, SHA-256 {self.bytes_hash}", f"validation: {self.validation}"

    @property
    def features(self) -> str:
        """The footnote."""
        return (
            f"those of the file, SHA-256 {self.bytes_hash[:12]}, by whoever made it; "
            f"validation: {self.validation}"
        )


def require_file(path: Path | None, what: str) -> Path:
    """The path of a data set that is one file.

    Raises:
        BadInput: none was given, or no file is there.
    """
    file = require_path(path, what)
    if not file.is_file():
        raise BadInput("expected a file, found a folder", file=file, key="path")
    return file


def require_folder(path: Path | None, what: str) -> Path:
    """The path of a data set that is a folder.

    Raises:
        BadInput: none was given, or no folder is there.
    """
    folder = require_path(path, what)
    if not folder.is_dir():
        raise BadInput("expected a folder, found a file", file=folder, key="path")
    return folder
