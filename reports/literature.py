"""Published results, which stand below a table and are not comparable with it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.spec import BadInput, Frozen, nearest

FOLDER = Path(__file__).parent / "published"

NOTES = FOLDER / "notes.yaml"

MARK = "other data split and features: not comparable with the rows above"
"""What stands in every published row."""

UNVERIFIED = "†"
"""Beside a number that was not checked against its source."""


class PublishedNumber(Frozen):
    """One metric, in the scale of our tables; accuracies and F1 are shares, not percent."""

    value: float
    verified: bool


class PublishedRow(Frozen):
    """One method as one source reports it."""

    dataset: str
    split_protocol: str
    method: str
    modalities: str
    source: str
    numbers: dict[str, PublishedNumber]
    """From the name of a metric to what was published."""


def published_rows(names: Iterable[str]) -> tuple[PublishedRow, ...]:
    """The results on the data sets of these names, a row for each method and source.

    Raises:
        BadInput: Nothing is kept under a name.
    """
    known = {path.stem: path for path in FOLDER.glob("*.csv")}
    found: list[PublishedRow] = []
    for name in dict.fromkeys(names):
        if name not in known:
            raise BadInput(
                f"no published results are kept for '{name}'; {nearest(name, known)}", key="published"
            )
        found += _read(known[name])
    return tuple(found)


def published_notes(names: Iterable[str]) -> tuple[str, ...]:
    """What a reader must know of the published results on these data sets, in sentences."""
    from omegaconf import OmegaConf

    kept: Any = OmegaConf.to_container(OmegaConf.load(NOTES))
    return tuple(f"{note.rstrip('.')}." for name in dict.fromkeys(names) for note in kept.get(name, ()))


def _read(path: Path) -> Iterator[PublishedRow]:
    rows: dict[tuple[str, ...], dict[str, PublishedNumber]] = {}
    heads = ("dataset", "split_protocol", "method", "modalities", "source")
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            numbers = rows.setdefault(tuple(line[head] for head in heads), {})
            numbers[line["metric"]] = PublishedNumber(
                value=float(line["value"]), verified=line["verified"] == "yes"
            )
    for key, numbers in rows.items():
        yield PublishedRow(**dict(zip(heads, key, strict=True)), numbers=numbers)
