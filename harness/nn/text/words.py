"""How students read words: what they declare, and transcripts in one case with none empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import Field, ValidationError, field_validator

from harness.nn.text.transcript import lower_if_capitals, mostly_capitals
from harness.spec import BadInput, ModelConfig, OutputName, View
from harness.types import Batch

LEAST_LEVELS = 3
"""Two classes have no order that a score could be read from."""


class WordsConfig(ModelConfig):
    """Fields of every student that reads the words of a clip and nothing else."""

    levels: int = Field(
        0, ge=0, description="class logits beside the score, lowest level first: 0 = none, else >= 3"
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="share dropped before the head")

    @field_validator("levels")
    @classmethod
    def _levels_have_an_order(cls, levels: int) -> int:
        if 0 < levels < LEAST_LEVELS:
            raise ValueError(f"expected 0 (no class logits) or at least {LEAST_LEVELS}, given {levels}")
        return levels

    def needs(self) -> frozenset[View]:
        """Words only: this is a one-modality student."""
        return frozenset({"transcript"})

    def level_count(self) -> int | None:
        """K, or None without class logits."""
        return self.levels or None

    def gives(self) -> frozenset[OutputName]:
        """The score, and class logits if there are levels."""
        return frozenset({"score", "class_logits"} if self.levels else {"score"})

    def resized(self, **sizes: int) -> Self:
        """The same parameters at other sizes.

        Raises:
            BadInput: a size is out of its range.
        """
        try:
            return type(self).model_validate({**self.model_dump(), **sizes})
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            key = next(iter(fault["loc"]), next(iter(sizes)))
            raise BadInput(
                f"there is no such size: {fault['msg']}, given {sizes}", key=str(key)
            ) from error


class Words:
    """The transcripts of clips as a student reads them.

    Args:
        train: transcripts of the training clips, for the note alone.
        lowercase_capitals: whether transcripts that are all capitals are lower-cased.
    """

    def __init__(self, train: Sequence[str], lowercase_capitals: bool) -> None:
        self._lowercase_capitals = lowercase_capitals
        self._lowered = lowercase_capitals and mostly_capitals(train)

    def cased(self, transcripts: Sequence[str]) -> tuple[str, ...]:
        """The same texts in the case that is read."""
        return lower_if_capitals(transcripts) if self._lowercase_capitals else tuple(transcripts)

    def read(self, clips: Batch) -> tuple[str, ...]:
        """What is said in each clip, in the case that is read.

        Raises:
            BadInput: a transcript has nothing but white space, and nobody took its words away; the clip
                is named.
        """
        if clips.transcripts is None:
            raise ValueError("the clips have no transcripts, and the student reads nothing else")
        empty = (
            []
            if clips.is_degraded
            else [
                name for name, text in zip(clips.ids, clips.transcripts, strict=True) if not text.strip()
            ]
        )
        if empty:
            more = f" (and those of {len(empty) - 1} other clips)" if len(empty) > 1 else ""
            raise BadInput(
                f"the transcript of clip '{empty[0]}'{more} is empty; a student of words needs one word",
                key="transcripts",
            )
        return self.cased(clips.transcripts)

    def notes(self) -> tuple[str, ...]:
        """What was done to the words, if anything was."""
        return ("transcripts were all capitals and are lower-cased",) if self._lowered else ()
