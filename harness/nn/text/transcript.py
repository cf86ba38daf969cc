"""Transcripts as models read them."""

from __future__ import annotations

from collections.abc import Sequence


def lower_if_capitals(transcripts: Sequence[str]) -> tuple[str, ...]:
    """The same texts; those without a lower-case letter are lower-cased.

    CMU-MOSI's transcripts are all capitals, and a case-sensitive tokenizer would cut them to letters.
    """
    return tuple(text if any(c.islower() for c in text) else text.lower() for text in transcripts)


def mostly_capitals(transcripts: Sequence[str]) -> bool:
    """Whether more than half of the texts have no lower-case letter."""
    return 2 * sum(text.upper() == text for text in transcripts) > len(transcripts)
