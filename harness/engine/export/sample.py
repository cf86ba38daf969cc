"""Clips that an exported model is checked on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from harness.contracts import Reader
from harness.engine.trained import TrainedModel, clips_of
from harness.registry import DATASETS
from harness.spec import BadInput
from harness.types import Batch

LARGEST = 64
"""Clips that are compared."""

MADE = 32

CAPITALS = 8


@dataclass(frozen=True)
class Sample:
    """Clips, as a data set has them, and what to call them."""

    clips: Batch
    name: str

    def __str__(self) -> str:
        return f"{len(self.clips)} {self.name}"

    def groups(self) -> Iterator[Batch]:
        """One clip, two, and then all of them: sizes that a trace must not be tied to."""
        count = len(self.clips)
        for size in sorted({1, min(2, count), count}):
            yield self.clips.take(torch.arange(size))


def sample(trained: TrainedModel) -> Sample:
    """Test clips, if the data set is here as it was; or else, for a model of words, made ones.

    Raises:
        BadInput: the model reads more than words, and its data set is not here or has changed.
    """
    try:
        clips = _test_clips(trained)
    except BadInput as fault:
        if trained.views != {"transcript"} or trained.info.tokenizer_json is None:
            raise BadInput(
                f"'{trained.spec.model.name}' is checked on clips of its data set, which cannot be "
                f"read: {fault}",
                key="--to",
            ) from fault
        return Sample(clips_of(_made(trained.info.tokenizer_json)), "made transcripts (no data here)")
    return Sample(clips.take(torch.arange(min(LARGEST, len(clips)))), "test clips")


def _test_clips(trained: TrainedModel) -> Batch:
    result = trained.result
    reader: Reader = DATASETS.build(result.spec.data)
    if reader.fingerprint() != result.data_fingerprint:
        raise BadInput("its fingerprint is not that of the trial", key="data")
    return reader.load().test.only(trained.views)


def _made(tokenizer: str) -> list[str]:
    """Transcripts of the tokenizer's own words and pieces, from one piece to sixty."""
    vocabulary = json.loads(tokenizer)["model"]["vocab"]
    names = vocabulary if isinstance(vocabulary, dict) else [name for name, _ in vocabulary]
    pieces = sorted({name.strip("Ġ▁#") for name in names if name.strip("Ġ▁#").isalpha()}) or ["word"]
    draw = random.Random(0)  # noqa: S311 - no secret
    texts = [" ".join(draw.choices(pieces, k=1 + 2 * row)) for row in range(MADE - 1)]
    return [*texts, texts[-1].upper()]


def with_capitals(texts: Sequence[str]) -> tuple[str, ...]:
    """The texts, and some of them once more in capitals, which models may read in lower case."""
    return (*texts, *(text.upper() for text in texts[:CAPITALS]))
