"""The published protocols as a table: which clips count, what is positive, what is a level.

Two tables of two papers differ for the same predictions because their code differs in these few
choices, so each protocol is a value of `Rules` and `harness.metrics.sentiment` is the one engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from harness.spec import SentimentProtocol

Side = Literal["labels", "predictions"]
Rounding = Literal["half_to_even", "away_from_zero", "right_closed"]


@dataclass(frozen=True)
class Polarity:
    """Two-class accuracy and its F1.

    Attributes:
        drop_zero_labels: clips labelled exactly 0 do not count.
        zero_is_positive: positive means >= 0 instead of > 0, for labels and predictions alike.
        f1_weights: whose class counts weigh the per-class F1, that is, which array the published
            code hands to ``f1_score`` first; None where no F1 is defined.
    """

    drop_zero_labels: bool
    zero_is_positive: bool
    f1_weights: Side | None = "labels"


@dataclass(frozen=True)
class Levels:
    """How a value becomes a sentiment level.

    Attributes:
        rounding: to the nearest integer with halves to even, to the next integer away from zero,
            or into the bins between `edges`, an edge belonging to the bin below it.
        bound: integer levels are cut to [-bound, bound].
        edges: inner edges of the bins, ascending.
    """

    rounding: Rounding
    bound: int = 0
    edges: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rules:
    """One protocol. A metric that is in none of its parts is absent from its results.

    Attributes:
        polarities: by suffix, ``has0`` or ``non0``, of the names ``acc2_…`` and ``f1_…``.
        levels: by metric name, such as ``acc7``.
        clip: labels and predictions are cut to [-clip, clip] before anything else.
        drop_zero_labels: clips labelled exactly 0 count for no metric at all, MAE and Corr included.
    """

    polarities: Mapping[str, Polarity]
    levels: Mapping[str, Levels]
    clip: float | None = None
    drop_zero_labels: bool = False


NON_NEGATIVE = Polarity(drop_zero_labels=False, zero_is_positive=True)
POSITIVE_OF_ALL = Polarity(drop_zero_labels=False, zero_is_positive=False)
POSITIVE_OF_POLAR = Polarity(drop_zero_labels=True, zero_is_positive=False)
NON_NEGATIVE_OF_POLAR = Polarity(drop_zero_labels=True, zero_is_positive=True)

NEAREST_LEVELS = {
    "acc7": Levels("half_to_even", bound=3),
    "acc5": Levels("half_to_even", bound=2),
    "acc3": Levels("half_to_even", bound=1),
}

MMSA = Rules({"has0": NON_NEGATIVE, "non0": POSITIVE_OF_POLAR}, NEAREST_LEVELS)

# MulT passes predictions first to f1_score, so predicted counts weigh the classes.
MULT = Rules({"non0": replace(POSITIVE_OF_POLAR, f1_weights="predictions")}, NEAREST_LEVELS)

# The mode of MulT that its training script does not use: a label of 0 stays and is negative.
MULT_INCLUDE_ZERO = Rules({"has0": replace(POSITIVE_OF_ALL, f1_weights="predictions")}, NEAREST_LEVELS)

# MISA prints an F1 (non0, predictions first) and returns the non-negative accuracy, whose F1 stands
# in the classification report (truth first).
MISA = Rules(
    {"has0": NON_NEGATIVE, "non0": replace(POSITIVE_OF_POLAR, f1_weights="predictions")}, NEAREST_LEVELS
)

# Both F1 of MISA as its classification reports show them.
MISA_REPORT = MMSA

MAG_BERT = Rules({"non0": NON_NEGATIVE_OF_POLAR}, {}, drop_zero_labels=True)

# MAG-BERT with its use_zero flag.
MAG_BERT_USE_ZERO = Rules({"has0": NON_NEGATIVE}, {})

# All clips count and 0 is negative; has0 names the clips, not the side of 0.
SIMS = Rules(
    {"has0": POSITIVE_OF_ALL},
    {
        "acc5": Levels("right_closed", edges=(-0.7, -0.1, 0.1, 0.7)),
        "acc3": Levels("right_closed", edges=(-0.1, 0.1)),
    },
    clip=1.0,
)

# The SDK defines accuracies only; MAE and Corr are the plain ones, so that selection has a monitor.
SDK_MOSEI = Rules(
    {
        "has0": replace(NON_NEGATIVE, f1_weights=None),
        "non0": replace(POSITIVE_OF_POLAR, f1_weights=None),
    },
    {"acc7": Levels("away_from_zero", bound=3)},
)

PROTOCOLS: dict[SentimentProtocol, Rules] = {
    "mmsa": MMSA,
    "mult": MULT,
    "misa": MISA,
    "mag_bert": MAG_BERT,
    "sims": SIMS,
    "sdk_mosei": SDK_MOSEI,
}
"""The protocols a study can name; the other values above are modes of the same code."""
