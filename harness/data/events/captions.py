"""What is written of a clip: a word that names its class among words that do not; their vectors."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from harness.data.parts.streams import stream

CLASSES = (
    "circle",
    "square",
    "triangle",
    "cross",
    "ring",
    "star",
    "bar",
    "crescent",
    "checker",
    "chevron",
)
"""The classes by the name of their shape, in the order of their indices."""

_FILLERS = (
    "the a we hear see here there again then now moving slowly quickly softly loudly over under near "
    "behind past across room screen wall light dark bright noise sound tone clip camera short long one "
    "some thing with without and while it this that keeps goes comes away back still very quite"
)


def caption(label: int, words: int, random: np.random.Generator) -> str:
    """`words` words, fillers but for one at any place, which names the class."""
    known = _FILLERS.split()
    said = [known[row] for row in random.integers(len(known), size=words)]
    said[int(random.integers(words))] = CLASSES[label]
    return " ".join(said)


def word_vectors(text: str, width: int) -> NDArray[np.float32]:
    """(L, width) a vector a word: standard normal, decided by the word's spelling alone."""
    return np.stack([_vector(word, width) for word in text.split()])


@lru_cache(maxsize=256)
def _vector(word: str, width: int) -> NDArray[np.float32]:
    return stream(0, "word", word).standard_normal(width).astype(np.float32)
