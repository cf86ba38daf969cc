"""What lies in a folder of clips, as tests compare it."""

import csv
from pathlib import Path


def rows(folder: Path) -> list[dict[str, str]]:
    """The lines of its label.csv."""
    with (folder / "label.csv").open(newline="") as source:
        return list(csv.DictReader(source))


def files(folder: Path) -> dict[str, bytes]:
    """Every file by its path within the folder."""
    return {
        str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }
