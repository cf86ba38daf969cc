"""Data that come in folds, each of which is test once."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from harness.spec import DataConfig


class Folded(DataConfig):
    """Which fold is test."""

    fold: int | None = Field(
        None,
        ge=0,
        le=99,
        description="which fold is test, from 0; null = the one of the trial's seed, so that the seeds "
        "of a study are its folds",
    )

    def for_seed(self, seed: int) -> Self:
        """The fold of that number, unless one is named."""
        return self if self.fold is not None else self.model_copy(update={"fold": seed})

    @property
    def tested(self) -> int:
        """The fold that is test; the first where nobody says which."""
        return self.fold or 0
