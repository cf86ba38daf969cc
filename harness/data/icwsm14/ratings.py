"""Sentences with all their ratings: from the published files, and to and from ratings.csv."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

from harness.spec import BadInput

LOWEST, HIGHEST = -4, 4
"""The scale that the raters were given."""

COLUMNS = ("sentence_id", "review_id", "text", "ratings", "mean")


@dataclass(frozen=True)
class RatedSentence:
    """One sentence.

    Attributes:
        sentence_id: its number in the published files.
        review_id: the same for sentences that are one review's.
        ratings: one whole number in [-4, 4] a rater, in published order; at least two.
    """

    sentence_id: str
    review_id: str
    text: str
    ratings: tuple[int, ...]

    @property
    def mean(self) -> float:
        """The mean of all ratings."""
        return sum(self.ratings) / len(self.ratings)


def parse(archive: Path, sentences: bytes, ratings: bytes) -> list[RatedSentence]:
    """The sentences of the two published files, in their order; runs of blanks become one.

    The files name no reviews and their snippets come from different ones, so a sentence is a review
    of its own; only sentences of the same words share one, named after the first.

    Raises:
        BadInput: a line does not fit, or the two files disagree; file `archive`, and the line.
    """
    told, rated = _cells(archive, sentences, 3), _cells(archive, ratings, 4)
    if len(told) != len(rated):
        raise BadInput(f"{len(told)} sentences, but ratings of {len(rated)}", file=archive)
    reviews: dict[str, str] = {}
    found = []
    for line, ((name, mean, text), (rated_name, _, _, given)) in enumerate(
        zip(told, rated, strict=True), 1
    ):
        if name != rated_name:
            raise _fault(archive, line, f"sentence {name!r}, but ratings of {rated_name!r}")
        said = " ".join(text.split())
        if not said:
            raise _fault(archive, line, "empty sentence")
        review = reviews.setdefault(" ".join(re.findall(r"\w+", said.casefold())), name)
        sentence = RatedSentence(name, review, said, _ratings(archive, line, given))
        if not _close(sentence.mean, mean):
            raise _fault(archive, line, f"expected mean {mean}, found {sentence.mean:.6f}")
        found.append(sentence)
    return found


def to_csv(sentences: list[RatedSentence]) -> str:
    """The text of ratings.csv: the ratings of a sentence in one cell, between blanks."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sentences:
        ratings = " ".join(map(str, one.ratings))
        writer.writerow([one.sentence_id, one.review_id, one.text, ratings, f"{one.mean:.6f}"])
    return target.getvalue()


def from_csv(file: Path) -> list[RatedSentence]:
    """The sentences of a ratings.csv that `to_csv` wrote."""
    with file.open(newline="", encoding="utf-8") as source:
        return [
            RatedSentence(
                cells["sentence_id"],
                cells["review_id"],
                cells["text"],
                tuple(int(rating) for rating in cells["ratings"].split()),
            )
            for cells in csv.DictReader(source)
        ]


def _cells(archive: Path, content: bytes, count: int) -> list[list[str]]:
    """The cells of every line; quotes and the line ends of Unicode are part of a sentence."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"expected UTF-8: {error}", file=archive) from error
    lines = re.split(r"\r?\n", text)
    # The last line may lack its end.
    lines = lines[:-1] if not lines[-1] else lines
    rows = [line.split("\t") for line in lines]
    for number, cells in enumerate(rows, 1):
        if len(cells) != count:
            raise _fault(archive, number, f"expected {count} cells between tabs, found {len(cells)}")
    return rows


def _ratings(archive: Path, line: int, cell: str) -> tuple[int, ...]:
    try:
        given = json.loads(cell)
    except ValueError:
        given = None
    numbers = isinstance(given, list) and all(type(rating) is int for rating in given)
    if not numbers or len(given) < 2 or not all(LOWEST <= rating <= HIGHEST for rating in given):
        raise _fault(
            archive,
            line,
            f"expected two or more whole ratings in [{LOWEST}, {HIGHEST}], given {cell!r}",
        )
    return tuple(given)


def _close(mean: float, cell: str) -> bool:
    try:
        return abs(mean - float(cell)) < 1e-6
    except ValueError:
        return False


def _fault(archive: Path, line: int, message: str) -> BadInput:
    return BadInput(f"movie reviews, line {line}: {message}", file=archive)
