"""MulT on sequences of one length, whose transformers run as one."""

from __future__ import annotations

from pairing import Pair

from pairs import mult


def pair() -> Pair:
    """As `mult`, at lengths that the convolutions make equal."""
    return mult.pair({"text": 8, "audio": 12, "vision": 10})
