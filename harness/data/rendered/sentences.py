"""English-like sentences: words of fixed polarity, some of which follow the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.data.parts.streams import stream
from harness.data.rendered.config import LABEL_RANGE, Rendering

# English words by polarity, so that a pretrained text model meets what it knows.
_ENGLISH = {
    -3.0: "awful horrible terrible disgusting atrocious dreadful worst hated unbearable appalling",
    -2.4: "painful pathetic garbage ruined miserable ugly offensive worthless insulting abysmal",
    -1.8: "boring stupid bad annoying lousy weak wasted disappointing clumsy lame",
    -1.2: "dull slow messy confusing shallow sloppy tired forced bland predictable",
    -0.6: "odd uneven loud long dark cheap thin plain busy cold",
    0.0: "film movie scene actor story camera music plot script character",
    0.6: "decent okay fair calm simple neat solid fine usual warm",
    1.2: "nice likeable pleasant clever funny sweet smooth fresh bright lively",
    1.8: "good enjoyable charming touching exciting strong witty moving tender graceful",
    2.4: "great impressive delightful gripping superb gorgeous thrilling hilarious loved inspired",
    3.0: "amazing brilliant wonderful fantastic perfect stunning outstanding magnificent best flawless",
}
_ONSETS = "b br c cl d dr f fl g gr h j l m n p pl pr qu r s sh sl st t tr v w"
_VOWELS = "a e i o u ai ea oo ou"
_CODAS = "b ck d g l ll m n nd nt p r rn s sh st t x"


@dataclass(frozen=True)
class Vocabulary:
    """The words of a set.

    Attributes:
        words: V spellings, all different.
        polarity: (V,) what each says of the score, in [-3, 3].
    """

    words: tuple[str, ...]
    polarity: NDArray[np.float64]


def vocabulary(config: Rendering) -> Vocabulary:
    """The words that occur: English ones first, then invented ones of uniform polarity."""
    random = stream(config.seed, "vocabulary")
    english = [(word, level) for level, words in _ENGLISH.items() for word in words.split()]
    chosen = [english[row] for row in random.permutation(len(english))][: config.words]
    words = dict(chosen)
    while len(words) < config.words:
        words.setdefault(_invented(random), float(random.uniform(*LABEL_RANGE)))
    return Vocabulary(tuple(words), np.array(list(words.values())))


def sentence(
    config: Rendering, known: Vocabulary, score: float, random: np.random.Generator, count: int
) -> str:
    """`count` words; each follows `score` with probability `cue_rate`, else any word is as likely.

    A cue word is drawn with a weight that is normal in the distance of its polarity from the score,
    so that no single word stands for the ends of the range.
    """
    distance = (known.polarity - score) / config.cue_sd
    weight = np.exp(-0.5 * (distance**2 - np.min(distance**2)))
    cues = random.choice(len(known.words), count, p=weight / weight.sum())
    others = random.integers(len(known.words), size=count)
    follows = random.random(count) < config.cue_rate
    return " ".join(known.words[row] for row in np.where(follows, cues, others))


def _invented(random: np.random.Generator) -> str:
    syllables = [
        _pick(random, _ONSETS) + _pick(random, _VOWELS) + _pick(random, _CODAS)
        for _ in range(random.integers(1, 3))
    ]
    return "".join(syllables)


def _pick(random: np.random.Generator, choices: str) -> str:
    known = choices.split()
    return known[int(random.integers(len(known)))]
